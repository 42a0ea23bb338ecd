// What cannot all be true, until the visitor says what is.
import type { Contradiction } from "../edgemem.js";
import { useAsked, useSession } from "../hooks.js";
import { date, Empty, Tag, Waiting, words } from "../parts.js";
import type { Session } from "../session.js";

const DISAGREEMENT = ["Ana says my cousin Leo lives in Denver.", "Mum told me that cousin Leo lives in Austin. No idea who is right."];

export function Settle() {
  const session = useSession();
  const example = session.place && session.settings.model === "sample";
  const { value, problem, slow } = useAsked(async (memory) => {
    const [open, settled] = await Promise.all([memory.contradictions(), memory.contradictions({ resolved: true })]);
    const all = new Map([...open.results, ...settled.results].map((contradiction) => [contradiction.id, contradiction]));
    const ids = [...all.values()].flatMap(({ sides }) => sides.flatMap(({ memories }) => memories));
    const items = await Promise.all([...new Set(ids)].map((id) => memory.get(id)));
    const texts = new Map(items.filter((item) => item !== null).map(({ id, memory }) => [id, memory]));
    const [waiting, done] = [[...all.values()].filter(({ resolved }) => !resolved), [...all.values()].filter(({ resolved }) => resolved)];
    return { open: waiting, settled: done, texts };
  });
  return (
    <>
      <Waiting problem={problem} slow={slow} />
      {value && value.open.length === 0 && value.settled.length > 0 && <p class="count">Nothing else contradicts itself.</p>}
      {value && value.open.length + value.settled.length === 0 && <Empty icon="settle" title="Nothing contradicts itself">When two things are said that cannot both be true, and nobody knows which, both are kept and wait here for you.{example && <p><button type="button" disabled={Boolean(session.busy)} onClick={() => void disagree(session)}>Show an example</button></p>}</Empty>}
      {value?.open.map((contradiction) => <One key={contradiction.id} contradiction={contradiction} texts={value.texts} />)}
      {value && value.settled.length > 0 && <h2 class="section">Settled</h2>}
      {value?.settled.map((contradiction) => <One key={contradiction.id} contradiction={contradiction} texts={value.texts} />)}
    </>
  );
}

/** Says two things that cannot both be true; the sample has replies for them. */
async function disagree(session: Session): Promise<void> {
  for (const text of DISAGREEMENT) await session.send(text);
}

function One({ contradiction: { id, foundAt, sides, resolved }, texts }: { contradiction: Contradiction; texts: Map<string, string> }) {
  const session = useSession();
  const kept = JSON.stringify(resolved?.kept);
  const settle = (claim: unknown): void => void session.run("Settling …", ({ memory }) => memory.resolve(id, claim));
  return (
    <section class="card contradiction" aria-label="Contradiction">
      <p class="meta">Found on {date(foundAt)}</p>
      <div class="sides">
        {sides.map(({ claim, text, memories, saidAt }) => (
          <div class="side">
            <h3>{words(text)}</h3>
            {memories.map((id) => texts.has(id) && <p>{texts.get(id)}</p>)}
            {saidAt && <p class="meta">said on {date(saidAt)}</p>}
            {resolved ? JSON.stringify(claim) === kept && <Tag kind="add">this is true</Tag> : <button type="button" disabled={Boolean(session.busy)} onClick={() => settle(claim)}>This is true</button>}
          </div>
        ))}
      </div>
    </section>
  );
}
