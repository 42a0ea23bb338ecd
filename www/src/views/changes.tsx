// What became of every message: what was extracted, and each decision with the old and the new text.
import type { AddedMemory } from "../edgemem.js";
import { useSession } from "../hooks.js";
import type { Change } from "../log.js";
import { date, Difference, Empty, Tag, words } from "../parts.js";
import { ended } from "../problems.js";

const NAMES: Record<string, string> = { ADD: "Add", UPDATE: "Update", DELETE: "Delete", NONE: "Known" };

export function Changes() {
  const { log } = useSession();
  if (log.changes.length === 0) {
    return <Empty icon="changes" title="Nothing was decided yet">Replay the sample or say something: every fact that is added, updated or ended appears here, with its old and new text.</Empty>;
  }
  return <ol class="changes" reversed>{log.changes.toReversed().map((change, number) => <One key={log.changes.length - number} change={change} />)}</ol>;
}

function One({ change: { title, at, results, relations, status, error, note, milliseconds } }: { change: Change }) {
  // What was kept as it was said is the title already.
  const told = results.filter(({ event, memory }) => event !== "ADD" || memory !== title);
  return (
    <li class="card">
      <header>
        <h3>{title}</h3>
        <p class="meta"><span><time dateTime={at}>{date(at)}</time> · {milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms</span></p>
      </header>
      {error && <p class="problem">The words are stored, their facts not yet. {ended(error.message)} {status === "PENDING" && "It is tried again by itself."}</p>}
      {!error && status === "FAILED" && <p class="problem">The words are stored, their facts could not be extracted.</p>}
      {note && <p class="note">{note}</p>}
      {results.length === 0 && !error && !note && <p class="note">Nothing to remember in it.</p>}
      <ul class="decisions">{told.map((decision) => <Decision decision={decision} />)}</ul>
      {relations.length > 0 && (
        <details>
          <summary>{relations.length === 1 ? "1 relation" : `${relations.length} relations`}</summary>
          <ul class="relations">
            {relations.map(({ source, relationship, target }) => <li><b>{source}</b> <i>{words(relationship)}</i> <b>{target}</b></li>)}
          </ul>
        </details>
      )}
    </li>
  );
}

function Decision({ decision: { event, memory, oldMemory } }: { decision: AddedMemory }) {
  const different = event === "UPDATE" && oldMemory !== undefined && oldMemory !== memory;
  return (
    <li class={`decision ${event.toLowerCase()}`}>
      <Tag kind={event.toLowerCase()}>{NAMES[event] ?? event}</Tag>
      <div>
        {different ? <Difference old={oldMemory} now={memory} /> : event === "DELETE" ? <p class="old"><del>{oldMemory ?? memory}</del></p> : <p>{memory}</p>}
        {event === "NONE" && oldMemory && oldMemory !== memory && <p class="note">Says nothing new beside: {oldMemory}</p>}
      </div>
    </li>
  );
}
