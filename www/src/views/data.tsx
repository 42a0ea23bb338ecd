// What there is, taking it along, and erasing it.
import { useRef, useState } from "preact/hooks";
import { useAsked, useSession } from "../hooks.js";
import { Icon, Waiting } from "../parts.js";
import { NewPassphrase } from "./passphrase.js";

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
        <p class="note">{place?.kind === "server" ? "An import adds the memories of a file word for word, but for what is no longer true." : "An import replaces what is remembered here. The file must be of the same owner."}</p>
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
      {place?.kind === "browser" && isSecureContext && <Encryption />}
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

/** Whether what this browser stores can be read without a passphrase, and how to change that. */
function Encryption() {
  const session = useSession();
  const { settings, busy, encrypted } = session;
  const [asking, ask] = useState(false);
  const [passphrase, set] = useState("");
  const enter = (event: Event): void => {
    event.preventDefault();
    void session.encrypt(passphrase).then((done) => done && ask(false));
  };
  const remove = (): void => {
    if (confirm(`Store the memory of “${settings.userId}” unencrypted? Whoever can read this browser’s files can read it then.`)) void session.encrypt(undefined);
  };
  return (
    <section class="card" aria-labelledby="encryption">
      <h3 id="encryption">Encryption</h3>
      <p>{encrypted ? `What this browser stores of “${settings.userId}” is encrypted, and its passphrase is asked for whenever it is opened.` : `What this browser stores of “${settings.userId}” can be read by whoever can read its files. A passphrase encrypts it.`}</p>
      {asking ? (
        <form class="fields" onSubmit={enter}>
          <NewPassphrase set={set} />
          <div class="buttons">
            <button type="submit" class="primary" disabled={Boolean(busy)}>{encrypted ? "Change the passphrase" : "Encrypt"}</button>
            <button type="button" onClick={() => ask(false)}>Cancel</button>
          </div>
        </form>
      ) : (
        <div class="buttons">
          {encrypted && <button type="button" disabled={Boolean(busy)} onClick={() => void session.lock()}>Lock it now</button>}
          <button type="button" disabled={Boolean(busy)} onClick={() => ask(true)}>{encrypted ? "Another passphrase …" : "Encrypt …"}</button>
          {encrypted && <button type="button" disabled={Boolean(busy)} onClick={remove}>Store it unencrypted …</button>}
        </div>
      )}
    </section>
  );
}

/** Gives the visitor a file. */
function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
