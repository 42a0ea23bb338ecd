// What stands before a memory that wants a key or a passphrase.
import { useEffect, useRef, useState } from "preact/hooks";
import { useSession } from "../hooks.js";
import { userOf } from "../settings.js";

export function Door({ openSettings }: { openSettings: () => void }) {
  const { door } = useSession();
  return door?.kind === "key" ? <Key openSettings={openSettings} /> : <Passphrase openSettings={openSettings} />;
}

/** Focuses a field when it appears, and when what was typed opened nothing. */
function useFocus(told: string | undefined) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [told]);
  return field;
}

/** What can be done at the door, and that it is being done. */
function Ways({ on, elsewhere, openSettings }: { on: string; elsewhere: string; openSettings: () => void }) {
  const { busy } = useSession();
  return (
    <>
      {busy && <p class="busy" role="status"><span class="spinner" />{busy}</p>}
      <div class="buttons">
        <button type="submit" class="primary" disabled={Boolean(busy)}>{on}</button>
        <button type="button" onClick={openSettings}>{elsewhere}</button>
      </div>
    </>
  );
}

function Key({ openSettings }: { openSettings: () => void }) {
  const session = useSession();
  const { settings, door } = session;
  const [key, setKey] = useState("");
  const [user, setUser] = useState(settings.userId);
  const [keep, setKeep] = useState(settings.rememberKeys);
  const field = useFocus(door?.told);
  const owner = userOf(key);
  const enter = (event: Event): void => {
    event.preventDefault();
    void session.open({ ...settings, serverKey: key.trim(), userId: user.trim(), rememberKeys: keep });
  };
  return (
    <form class="card door" aria-labelledby="door-title" onSubmit={enter}>
      <h2 id="door-title">The server asks for a key</h2>
      <p class="note">{settings.host}</p>
      {door?.told && <p class="problem" role="alert">{door.told}</p>}
      <div class="field">
        <label for="door-key">Key or token</label>
        <input id="door-key" ref={field} type="password" required autocomplete="off" spellcheck={false} value={key} onInput={({ currentTarget }) => setKey(currentTarget.value)} />
        <p class="note">{owner === undefined ? "A key of the server (cargo xtask dev prints one), or a token that opens one user’s memory. It is sent to this address only." : `This token opens the memory of “${owner}”.`}</p>
      </div>
      {owner === undefined && (
        <div class="field">
          <label for="door-user">Whose memory</label>
          <input id="door-user" required autocomplete="off" autocapitalize="off" spellcheck={false} value={user} onInput={({ currentTarget }) => setUser(currentTarget.value)} />
        </div>
      )}
      <fieldset class="field">
        <legend>Keep it</legend>
        <label class="check"><input type="radio" name="keep" checked={!keep} onChange={() => setKeep(false)} />until this tab is closed</label>
        <label class="check"><input type="radio" name="keep" checked={keep} onChange={() => setKeep(true)} />in this browser, until I forget it</label>
      </fieldset>
      <Ways on="Connect" elsewhere="Another server …" openSettings={openSettings} />
      <p class="note">Or <button type="button" class="link" onClick={() => void session.open({ ...settings, place: "browser" })}>use the memory in this browser</button>, which needs no key.</p>
    </form>
  );
}

function Passphrase({ openSettings }: { openSettings: () => void }) {
  const session = useSession();
  const { settings, door } = session;
  const [passphrase, setPassphrase] = useState("");
  const field = useFocus(door?.told);
  const enter = (event: Event): void => {
    event.preventDefault();
    void session.open(settings, passphrase);
  };
  return (
    <form class="card door" aria-labelledby="door-title" onSubmit={enter}>
      <h2 id="door-title">The memory of “{settings.userId}” is encrypted</h2>
      {door?.told && <p class="problem" role="alert">{door.told}</p>}
      <div class="field">
        <label for="door-passphrase">Passphrase</label>
        <input id="door-passphrase" ref={field} type="password" required autocomplete="current-password" value={passphrase} onInput={({ currentTarget }) => setPassphrase(currentTarget.value)} />
        <p class="note">It is kept nowhere. One that is lost cannot be recovered, and nothing opens the memory without it.</p>
      </div>
      <Ways on="Open" elsewhere="Another memory …" openSettings={openSettings} />
    </form>
  );
}
