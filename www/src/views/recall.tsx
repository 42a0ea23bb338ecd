// Ask, and see why each memory answers.
import { useEffect, useState } from "preact/hooks";
import type { MemoryItem, SearchHit } from "../edgemem.js";
import { useSession } from "../hooks.js";
import { date, Empty, Level, Tag, TimeBar, useTold, Waiting, words } from "../parts.js";

const EXAMPLES = ["Where does the user live?", "What should I cook for her?", "Who is Mel?", "What happened in Tokyo?"];

interface Found {
  question: string;
  hits: SearchHit[];
  milliseconds: number;
  sources: Map<string, MemoryItem>;
}

export function Recall() {
  const session = useSession();
  const { place, revision, day } = session;
  const { value: told } = useTold();
  const [text, setText] = useState("");
  const [question, ask] = useState("");
  const [topK, setTopK] = useState(5);
  const [found, setFound] = useState<Found>();
  const [problem, setProblem] = useState<string>();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const memory = place?.memory;
    if (!memory || question === "") return undefined;
    let wanted = true;
    const search = async (): Promise<void> => {
      const before = performance.now();
      const { results: hits } = await memory.search(question, { explain: true, topK, ...(day && { asOf: `${day}T23:59:59Z` }) });
      const milliseconds = performance.now() - before;
      const ids = [...new Set(hits.flatMap(({ receipt }) => receipt?.sources ?? []))];
      const sources = await Promise.all(ids.map((id) => memory.get(id)));
      if (!wanted) return;
      setProblem(undefined);
      setFound({ question, hits, milliseconds, sources: new Map(sources.filter((item) => item !== null).map((item) => [item.id, item])) });
    };
    const timer = setTimeout(() => setSlow(true), 600);
    const end = (): void => {
      clearTimeout(timer);
      if (wanted) setSlow(false);
    };
    search().catch((error: unknown) => wanted && setProblem(session.explain(error))).finally(end);
    return () => {
      end();
      wanted = false;
    };
  }, [place, question, topK, day, revision]);
  return (
    <>
      <TimeBar told={told} />
      <form class="ask" role="search" onSubmit={(event) => { event.preventDefault(); ask(text.trim()); }}>
        <input type="search" aria-label="Question" placeholder="Ask what is remembered" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        <select aria-label="Hits" value={topK} onChange={({ currentTarget }) => setTopK(Number(currentTarget.value))}>
          {[3, 5, 10, 20].map((count) => <option value={count}>top {count}</option>)}
        </select>
        <button type="submit" class="primary" disabled={!place || text.trim() === ""}>Recall</button>
      </form>
      <div class="tries" role="group" aria-label="Questions to try">
        {EXAMPLES.map((example) => <button type="button" class="chip" onClick={() => { setText(example); ask(example); }}>{example}</button>)}
      </div>
      <Waiting problem={problem} slow={slow} />
      {!found && !problem && <Empty icon="recall" title="Ask a question">No model is asked: vectors, keywords, the graph and time find candidates, and a receipt says why each was returned.</Empty>}
      {found && <p class="count" aria-live="polite">{found.hits.length === 1 ? "1 memory" : `${found.hits.length} memories`} in {found.milliseconds.toFixed(1)} ms{place?.kind === "server" ? ", network included" : ""}{day ? `, as of ${date(day)}` : ""}</p>}
      {found?.hits.length === 0 && <Empty icon="recall" title="Nothing comes to mind">{day ? "Nothing was known of it then. Move the time, or ask" : "Ask"} in other words.</Empty>}
      <ol class="hits">{found?.hits.map((hit) => <Hit key={hit.id} hit={hit} sources={found.sources} hits={found.hits} />)}</ol>
    </>
  );
}

function Hit({ hit, sources, hits }: { hit: SearchHit; sources: Map<string, MemoryItem>; hits: SearchHit[] }) {
  const { memory, score, receipt, kind, createdAt, categories, standing, contradicts } = hit;
  return (
    <li class="card hit">
      <div class="score" role="img" aria-label={`Score ${score.toFixed(2)}`}><span aria-hidden="true">{score.toFixed(2)}</span><Level value={score} /></div>
      <div class="answer">
        <p class="text">{memory}</p>
        <p class="meta"><time dateTime={createdAt}>{date(createdAt)}</time>{categories.map((name) => <Tag>{words(name)}</Tag>)}{kind === "message" && <Tag>word for word</Tag>}{standing && <Tag kind="standing">always applies</Tag>}</p>
        {contradicts.length > 0 && <p class="problem">Cannot be true together with {contradicts.map((id) => hits.find((other) => other.id === id)?.memory ?? "another memory").join("; ")}. See “Settle”.</p>}
        {receipt && <Receipt receipt={receipt} sources={sources} />}
      </div>
    </li>
  );
}

function Receipt({ receipt: { channels, sources: ids, path }, sources }: { receipt: NonNullable<SearchHit["receipt"]>; sources: Map<string, MemoryItem> }) {
  const named = path.filter(({ name }) => name !== "");
  const quotes = ids.map((id) => sources.get(id)).filter((item) => item !== undefined);
  return (
    <div class="receipt">
      <table>
        <caption class="visually-hidden">Channels that found it</caption>
        <thead><tr><th scope="col">channel</th><th scope="col">rank</th><th scope="col">score</th><th scope="col"><span class="visually-hidden">as a bar</span></th></tr></thead>
        <tbody>
          {channels.map(({ channel, rank, score }) => (
            <tr><th scope="row"><i class={`dot ${channel}`} />{channel}</th><td>{rank}</td><td>{score.toFixed(3)}</td><td class="bar"><Level value={score} /></td></tr>
          ))}
        </tbody>
      </table>
      {named.length === 1 && <p class="path"><i>mentions</i> <b>{named[0]?.name}</b></p>}
      {named.length > 1 && (
        <p class="path"><span class="visually-hidden">Path: </span>{named.map(({ by, backwards, name }, place) => <>{place > 0 && <i>{backwards ? "←" : "→"} {words(by)} {backwards ? "←" : "→"}</i>} <b>{name}</b> </>)}</p>
      )}
      {quotes.length > 0 && (
        <details>
          <summary>{quotes.length === 1 ? "Source message" : `${quotes.length} source messages`}</summary>
          {quotes.map(({ memory, role, createdAt }) => <blockquote><span class="by">{role === "assistant" ? "Assistant" : "User"}, {date(createdAt)}</span>{memory}</blockquote>)}
        </details>
      )}
    </div>
  );
}
