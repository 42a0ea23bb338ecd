// The conversation.
import { useEffect, useRef, useState } from "preact/hooks";
import { useSession } from "../hooks.js";
import type { Turn } from "../log.js";
import { date, Icon } from "../parts.js";
import { canReply } from "../reply.js";
import { SAMPLE_USER, type Settings } from "../settings.js";

/** How many sessions the sample has. */
const SESSIONS = 8;

export function Chat({ openSettings, visible }: { openSettings: () => void; visible: boolean }) {
  const session = useSession();
  const { log, busy, place, settings } = session;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const list = end.current?.parentElement;
    if (list) list.scrollTop = list.scrollHeight;
  }, [log.turns.length, busy, visible]);
  return (
    <section class="chat" aria-label="Chat">
      <div class="turns" role="log" aria-label="Conversation" tabindex={0}>
        {log.turns.length === 0 ? <Welcome openSettings={openSettings} /> : log.turns.map((turn, number) => <Said key={number} turn={turn} />)}
        {busy && <p class="busy" role="status"><span class="spinner" />{busy}</p>}
        <div ref={end} />
      </div>
      {log.replayed.length > 0 && log.replayed.length < SESSIONS && !busy && (
        <button type="button" class="go-on" onClick={() => void session.replay()}><Icon name="play" />Go on with the sample ({log.replayed.length} of {SESSIONS})</button>
      )}
      {log.replayed.length === SESSIONS && settings.model === "sample" && !busy && place && <Tries />}
      <Compose />
      <p class="who">
        <span>{settings.place === "server" ? "On the server" : "In this browser"} · {settings.userId}</span>
        <button type="button" class="link" onClick={openSettings}>{about(settings)}</button>
      </p>
    </section>
  );
}

function about({ place, model, modelName: name }: Settings): string {
  if (place === "server" && (model === "sample" || model === "none")) return "The server’s model";
  if (model === "sample") return "Replayed replies, no model";
  if (model === "none") return "No model: word for word";
  return model === "chrome" ? "Chrome's model" : name || "Choose a model";
}

function Said({ turn }: { turn: Turn }) {
  const session = useSession();
  const { role, content, at, unstored } = turn;
  if (role === "divider") return <h3 class="divider"><span>{content}</span> <time dateTime={at}>{date(at)}</time></h3>;
  if (role === "recall") {
    return (
      <div class="turn recall">
        <p class="by">Recalled, no model asked</p>
        <ul>{content.split("\n").map((line) => <li>{line}</li>)}</ul>
      </div>
    );
  }
  return (
    <>
      <div class={`turn ${role}`}><p class="visually-hidden">{role === "user" ? "You" : "Assistant"}:</p><p class="text">{content}</p></div>
      {unstored && !session.busy && <p class="unstored">Not remembered. <button type="button" class="link" onClick={() => void session.resend(turn)}>Try again</button></p>}
    </>
  );
}

function Welcome({ openSettings }: { openSettings: () => void }) {
  const session = useSession();
  const { place, busy, settings } = session;
  const sample = settings.model === "sample" || settings.place === "server";
  return (
    <div class="welcome">
      <h2>A memory that shows its work</h2>
      <p>
        Talk, and watch what is kept: facts are extracted, checked against what is known, and stored with their sources
        {settings.place === "server" ? " on your server." : ". Everything stays in this browser."}
      </p>
      {sample && (
        <>
          <button type="button" class="primary" disabled={!place || Boolean(busy)} onClick={() => void session.replay()}><Icon name="play" />Replay the sample conversation</button>
          <p class="note">Eight talks with {SAMPLE_USER === settings.userId ? "Maya" : "a made-up user"}, January to June 2026. {settings.place === "server" ? "The server’s model finds the facts in them." : "Written by hand, and so are the replies of the model; the rest is real."}</p>
        </>
      )}
      <p class="note">Or <button type="button" class="link" onClick={openSettings}>choose a model</button>: your own key, Ollama on this machine, Chrome’s own, or none.{settings.place === "browser" && " The memory can be encrypted with a passphrase, or kept on a server."}</p>
    </div>
  );
}

/** Messages that the sample has replies for. */
function Tries() {
  const session = useSession();
  const tries = ["I live in Oakland now", "I have started to play the cello"].filter((text) => !session.log.turns.some(({ content }) => content === text));
  if (tries.length === 0) return null;
  return (
    <div class="tries" role="group" aria-label="Messages to try">
      {tries.map((text) => <button type="button" class="chip" onClick={() => void session.send(text)}>{text}</button>)}
    </div>
  );
}

function Compose() {
  const session = useSession();
  const { busy, place, settings } = session;
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const send = (): void => {
    const content = text.trim();
    if (content === "" || busy || !place) return;
    setText("");
    void session.send(content).then(() => field.current?.focus());
  };
  return (
    <form class="compose" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <label class="visually-hidden" for="message">Message</label>
      <textarea
        id="message"
        ref={field}
        rows={1}
        value={text}
        placeholder={canReply(settings) ? "Say something" : "Tell it something, or ask"}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {busy && place ? (
        <button type="button" class="round" aria-label="Stop" onClick={() => session.stop()}><Icon name="stop" /></button>
      ) : (
        <button type="submit" class="round primary" aria-label="Send" disabled={text.trim() === "" || !place}><Icon name="send" /></button>
      )}
    </form>
  );
}
