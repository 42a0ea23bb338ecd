// What is remembered, now or at the end of a day.
import { useEffect, useState } from "preact/hooks";
import type { HistoryEntry } from "../edgemem.js";
import { useSession } from "../hooks.js";
import { date, Difference, Empty, Icon, Tag, TimeBar, useTold, Waiting, words } from "../parts.js";
import { knownOn, type Shown } from "../past.js";

/** Shown at first, and by each press for more. */
const SOME = 100;

export function Memories() {
  const session = useSession();
  const [text, setText] = useState("");
  const [category, setCategory] = useState("");
  const [past, setPast] = useState(false);
  const [verbatim, setVerbatim] = useState(false);
  const [most, setMost] = useState(SOME);
  const { value: told, problem, slow } = useTold(verbatim);
  const all = knownOn(told ?? [], session.day);
  const categories = [...new Set(all.flatMap(({ item }) => item.categories))].sort();
  const wanted = text.trim().toLowerCase();
  const shown = all.filter(
    ({ item, text, over }) =>
      (past || !over) && (category === "" || item.categories.includes(category)) && text.toLowerCase().includes(wanted),
  );
  return (
    <>
      <TimeBar told={told} />
      <div class="filters" role="search" aria-label="Filter memories">
        <input type="search" aria-label="Filter by words" placeholder="Filter by words" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        <select aria-label="Category" value={category} onChange={({ currentTarget }) => setCategory(currentTarget.value)}>
          <option value="">All categories</option>
          {categories.map((name) => <option value={name}>{words(name)}</option>)}
        </select>
        <span class="checks"><label class="check"><input type="checkbox" checked={past} onChange={({ currentTarget }) => setPast(currentTarget.checked)} />No longer true</label>
        <label class="check"><input type="checkbox" checked={verbatim} onChange={({ currentTarget }) => setVerbatim(currentTarget.checked)} />Messages</label></span>
      </div>
      <Waiting problem={problem} slow={slow} />
      {told && <p class="count" aria-live="polite">{shown.length === 1 ? "1 memory" : `${shown.length} memories`}{session.day ? `, as known on ${date(session.day)}` : ""}</p>}
      {told && all.length === 0 && <Empty icon="memories" title="Nothing is remembered yet">Replay the sample or say something: what is kept of it appears here.</Empty>}
      {all.length > 0 && shown.length === 0 && <Empty icon="recall" title="Nothing matches">Take other words or another category, or move the time.</Empty>}
      <ul class="memories">{shown.slice(0, most).map((shown) => <One key={shown.item.id} shown={shown} />)}</ul>
      {shown.length > most && <button type="button" onClick={() => setMost(most + SOME)}>Show more of {shown.length}</button>}
    </>
  );
}

function One({ shown: { item, text, over, versions } }: { shown: Shown }) {
  const session = useSession();
  const [open, setOpen] = useState(false);
  const erase = (): void => {
    if (!confirm(`Erase “${text}” and everything that was made from it?`)) return;
    void session.run("Erasing …", ({ memory }) => memory.delete(item.id));
  };
  return (
    <li class={over ? "card memory over" : "card memory"}>
      <p class="text">{text}</p>
      <p class="meta">
        <time dateTime={item.createdAt}>{date(item.createdAt)}</time>
        {item.categories.map((name) => <Tag>{words(name)}</Tag>)}
        {item.kind === "message" && <Tag>{item.role ?? "message"}</Tag>}
        {item.standing && <Tag kind="standing">always applies</Tag>}
        {over && <Tag kind="delete">no longer true</Tag>}
        {versions > 1 && <Tag kind="update">version {versions}</Tag>}
        <button type="button" class="icon-only" aria-label={`Erase: ${text}`} title="Erase" onClick={erase}><Icon name="erase" /></button>
      </p>
      {item.kind === "fact" && (
        <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
          <summary>{versions > 1 || over ? "History and sources" : "Source"}</summary>
          {open && <History id={item.id} />}
        </details>
      )}
    </li>
  );
}

/** What happened to a memory, asked for when somebody wants to see it. */
function History({ id }: { id: string }) {
  const session = useSession();
  const { place, revision } = session;
  const [history, setHistory] = useState<HistoryEntry[]>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    setProblem(undefined);
    place?.memory.history(id).then(setHistory, (error: unknown) => setProblem(session.explain(error)));
  }, [place, id, revision]);
  return (
    <>
      <Waiting problem={problem} slow={!history && !problem} />
      <ol class="history">{history?.map((entry) => <Past entry={entry} />)}</ol>
    </>
  );
}

function Past({ entry: { event, oldMemory, newMemory, input, createdAt } }: { entry: HistoryEntry }) {
  return (
    <li>
      <p class="meta"><Tag kind={event.toLowerCase()}>{event.toLowerCase()}</Tag><time dateTime={createdAt}>{date(createdAt)}</time></p>
      {oldMemory && newMemory ? <Difference old={oldMemory} now={newMemory} /> : <p>{newMemory ?? oldMemory}</p>}
      {input.map(({ role, content }) => <blockquote><span class="by">{role === "user" ? "User" : "Assistant"}</span>{content}</blockquote>)}
    </li>
  );
}
