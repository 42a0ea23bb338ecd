// Where memories are kept, whose they are, and which model extracts facts.
import { useEffect, useRef, useState } from "preact/hooks";
import { useSession } from "../hooks.js";
import { chrome } from "../place.js";
import { type ModelKind, OLLAMA, SAMPLE_USER, type Settings, standard, userOf } from "../settings.js";
import { NewPassphrase } from "./passphrase.js";

const MODELS: [ModelKind, string, string][] = [
  ["sample", "Sample replies", "Written by hand, for the sample conversation. No key, no network."],
  ["endpoint", "Your own key", "Any OpenAI-compatible endpoint: OpenAI, OpenRouter, Groq, vLLM, LM Studio."],
  ["ollama", "Ollama on this machine", "Start it with OLLAMA_ORIGINS set to this page’s address."],
  ["chrome", "Chrome’s own model", "Runs in the browser."],
  ["none", "No model", "Messages are kept word for word, and recalled all the same."],
];

/** A server has its own model for facts; these only answer in the chat. */
const ON_SERVER: typeof MODELS = [
  ["none", "Nobody", "The page shows what the server recalls. Its own model extracts facts."],
  ...MODELS.filter(([kind]) => kind !== "sample" && kind !== "none"),
];

export function SettingsDialog({ open, close }: { open: boolean; close: () => void }) {
  const session = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [draft, setDraft] = useState<Settings>(session.settings);
  const [encrypt, setEncrypt] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  useEffect(() => {
    if (!open) return;
    setDraft(session.settings);
    setEncrypt(false);
    dialog.current?.showModal();
  }, [open]);
  const set = (fields: Partial<Settings>): void => setDraft((old) => ({ ...old, ...fields }));
  const field = (name: "userId" | "host" | "serverKey" | "baseURL" | "modelName" | "modelKey", label: string, more: object = {}, note?: string) => (
    <div class="field">
      <label for={name}>{label}</label>
      <input id={name} value={draft[name]} onInput={({ currentTarget }) => set({ [name]: currentTarget.value })} spellcheck={false} autocapitalize="off" {...more} />
      {note && <p class="note">{note}</p>}
    </div>
  );
  const choose = (model: ModelKind): void => {
    const baseURL = model === "ollama" ? OLLAMA : model === "endpoint" && draft.baseURL === OLLAMA ? standard.baseURL : draft.baseURL;
    const mine = model !== "sample" && draft.userId === SAMPLE_USER;
    set({ model, baseURL, userId: mine ? "me" : model === "sample" ? SAMPLE_USER : draft.userId });
  };
  const server = draft.place === "server";
  const owner = userOf(draft.serverKey);
  const encrypted = (session.encrypted || session.door?.kind === "passphrase") && draft.userId === session.settings.userId;
  const url = draft.model === "endpoint" || draft.model === "ollama";
  const save = (event: Event): void => {
    event.preventDefault();
    dialog.current?.close();
    const next = { ...draft, userId: draft.userId.trim(), host: draft.host.trim(), serverKey: draft.serverKey.trim(), modelKey: draft.modelKey.trim() };
    void session.open(next).then((open) => open && encrypt && !server && session.encrypt(passphrase));
  };
  return (
    <dialog ref={dialog} class="settings" aria-labelledby="settings-title" onClose={close}>
      <form onSubmit={save}>
        <h2 id="settings-title">Settings</h2>
        <fieldset>
          <legend>Memories are kept</legend>
          <div class="choices">
            <label class="choice"><input type="radio" name="place" checked={!server} onChange={() => set({ place: "browser" })} /><span><b>In this browser</b><small>Works without a server and without a network.</small></span></label>
            <label class="choice"><input type="radio" name="place" checked={server} onChange={() => set({ place: "server" })} /><span><b>On a server</b><small>edgemem’s Worker, by its API.</small></span></label>
          </div>
          {server && field("host", "Address", { type: "url", required: true, inputMode: "url" })}
          {server && field("serverKey", "Key or token", { type: "password", autocomplete: "off" }, owner === undefined ? "cargo xtask dev prints a key. It is sent to this address only." : `A token that opens the memory of “${owner}”. It is sent to this address only.`)}
          {server && session.settings.serverKey !== "" && <button type="button" class="small forget" onClick={() => { dialog.current?.close(); void session.forget(); }}>Forget the key</button>}
          {!(server && owner) && field("userId", "Whose memory", { required: true, autocomplete: "off" }, "Memories of different names never meet.")}
          {!server && !encrypted && isSecureContext && <label class="check"><input type="checkbox" checked={encrypt} onChange={({ currentTarget }) => setEncrypt(currentTarget.checked)} />Encrypt it with a passphrase</label>}
          {open && !server && !encrypted && encrypt && <NewPassphrase set={setPassphrase} />}
          {!server && encrypted && <p class="note">It is encrypted. “Data” changes or removes its passphrase.</p>}
        </fieldset>
        <fieldset>
          <legend>{server ? "Who answers in the chat" : "Model"}</legend>
          <div class="choices">
            {(server ? ON_SERVER : MODELS).map(([kind, name, about]) => {
              const missing = kind === "chrome" && !chrome();
              return (
                <label class={missing ? "choice missing" : "choice"}>
                  <input type="radio" name="model" checked={draft.model === kind || (server && kind === "none" && draft.model === "sample")} disabled={missing} onChange={() => choose(kind)} />
                  <span><b>{name}</b><small>{missing ? "This browser has none." : about}</small></span>
                </label>
              );
            })}
          </div>
          {url && field("baseURL", "Address", { type: "url", required: true, inputMode: "url" })}
          {url && field("modelName", "Model’s name", { required: true, placeholder: draft.model === "ollama" ? "qwen3:8b" : "gpt-5-mini", autocomplete: "off" })}
          {draft.model === "endpoint" && field("modelKey", "Key", { type: "password", autocomplete: "off" }, "It is sent to this address only.")}
        </fieldset>
        <label class="check"><input type="checkbox" checked={draft.rememberKeys} onChange={({ currentTarget }) => set({ rememberKeys: currentTarget.checked })} />Keep keys in this browser, not only until this tab is closed</label>
        <div class="buttons end actions">
          <button type="button" onClick={() => dialog.current?.close()}>Cancel</button>
          <button type="submit" class="primary">Use these</button>
        </div>
      </form>
    </dialog>
  );
}
