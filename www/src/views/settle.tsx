// What cannot all be true, until the visitor says what is.
import type { Contradiction } from "../edgemem.js";
import { useAsked, useSession } from "../hooks.js";
import { date, Empty, Tag, Waiting } from "../parts.js";

export function Settle() {
  const { value, problem, slow } = useAsked(async (memory) => {
    const [open, settled] = await Promise.all([memory.contradictions(), memory.contradictions({ resolved: true })]);
    return { open: open.results.filter(({ resolved }) => !resolved), settled: settled.results.filter(({ resolved }) => resolved) };
  });
  return (
    <>
      <Waiting problem={problem} slow={slow} />
      {value && value.open.length === 0 && <Empty icon="settle" title="Nothing contradicts itself">When two things are said that cannot both be true, and nobody knows which, both are kept and wait here for you.</Empty>}
      {value?.open.map((contradiction) => <One key={contradiction.id} contradiction={contradiction} />)}
      {value && value.settled.length > 0 && <h2 class="section">Settled</h2>}
      {value?.settled.map((contradiction) => <One key={contradiction.id} contradiction={contradiction} />)}
    </>
  );
}

function One({ contradiction: { id, foundAt, sides, resolved } }: { contradiction: Contradiction }) {
  const session = useSession();
  const kept = JSON.stringify(resolved?.kept);
  const settle = (claim: unknown): void => void session.run("Settling …", ({ memory }) => memory.resolve(id, claim));
  return (
    <section class="card contradiction" aria-label="Contradiction">
      <p class="meta">Found on {date(foundAt)}</p>
      <div class="sides">
        {sides.map(({ claim, text, saidAt }) => (
          <div class="side">
            <p>{text}</p>
            {saidAt && <p class="meta">said on {date(saidAt)}</p>}
            {resolved ? JSON.stringify(claim) === kept && <Tag kind="add">this is true</Tag> : <button type="button" disabled={Boolean(session.busy)} onClick={() => settle(claim)}>This is true</button>}
          </div>
        ))}
      </div>
    </section>
  );
}
