// What there is, taking it along, and erasing it.
import { useRef, useState } from "preact/hooks";
import { useAsked, useSession } from "../hooks.js";
import { Icon, Waiting } from "../parts.js";

export function Data() {
  const session = useSession();
  const { place, settings, busy } = session;
  const { value: stats, problem, slow } = useAsked((memory) => memory.stats());
  const [done, say] = useState<string>();
  const file = useRef<HTMLInputElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const idle = Boolean(place) && !busy;
  const graph = (format: "json-ld" | "graphml" | "cypher", ending: string): void =>
    void session.run("Writing the graph …", async ({ memory }) => download(`edgemem-${settings.userId}.${ending}`, await memory.exportGraph(format)));
  const take = async (chosen: File | undefined): Promise<void> => {
    if (!chosen) return;
    const text = await chosen.text();
    const told = await session.run("Taking over the file …", ({ load }) => load(text));
    if (told !== undefined) say(told);
  };
  return (
    <>
      <Waiting problem={problem} slow={slow} />
      {stats && (
        <dl class="stats">
          {([["Memories", stats.totalMemories], ["Messages", stats.totalMessages], ["Entities", stats.totalEntities], ["Relations", stats.totalRelations], ["Waiting jobs", stats.pendingJobs], ["Indexes", `${(stats.memoryBytes / 1000).toFixed(0)} kB`]] as const).map(([name, value]) => (
            <div><dt>{name}</dt><dd>{value}</dd></div>
          ))}
        </dl>
      )}
      <section class="card">
        <h3>Take it along</h3>
        <p>{place?.kind === "server" ? "A list of all memories, with what is no longer true." : "One file with everything: messages, memories and their versions, vectors, the graph. It is not encrypted."}</p>
        <div class="buttons">
          <button type="button" disabled={!idle} onClick={() => void session.run("Writing the file …", async (place) => { const { name, text } = await place.save(); download(name, text); })}>Export</button>
          <button type="button" disabled={!idle} onClick={() => file.current?.click()}>Import …</button>
          <input ref={file} type="file" accept="application/json,.json" hidden aria-label="File to import" onChange={({ currentTarget }) => { void take(currentTarget.files?.[0]); currentTarget.value = ""; }} />
        </div>
        <p class="note">{place?.kind === "server" ? "An import adds the memories of a file word for word." : "An import replaces what is remembered here. The file must be of the same owner."}</p>
        {done && <p class="done" role="status">{done}</p>}
      </section>
      <section class="card">
        <h3>The graph for other programs</h3>
        <div class="buttons">
          <button type="button" disabled={!idle} onClick={() => graph("json-ld", "jsonld")}>JSON-LD</button>
          <button type="button" disabled={!idle} onClick={() => graph("graphml", "graphml")}>GraphML</button>
          <button type="button" disabled={!idle} onClick={() => graph("cypher", "cypher")}>Cypher</button>
        </div>
      </section>
      <section class="card danger">
        <h3>Erase everything</h3>
        <p>Texts, vectors, relations, summaries, messages and this chat of “{settings.userId}” are removed {place?.kind === "server" ? "from the server" : "from this browser"}. Nothing brings them back but an export.</p>
        <div class="buttons"><button type="button" class="danger" disabled={!idle} onClick={() => dialog.current?.showModal()}><Icon name="erase" />Erase everything …</button></div>
      </section>
      <dialog ref={dialog} aria-labelledby="erase-title">
        <h2 id="erase-title">Erase all that is remembered of “{settings.userId}”?</h2>
        <p>This cannot be undone.</p>
        <form method="dialog" class="buttons end">
          <button type="submit">Keep it</button>
          <button type="submit" class="danger" onClick={() => void session.erase().then((erased) => erased && say("Everything was erased."))}>Erase</button>
        </form>
      </dialog>
    </>
  );
}

/** Gives the visitor a file. */
function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
