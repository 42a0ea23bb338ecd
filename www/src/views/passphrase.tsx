// A new passphrase, typed twice.
import { useEffect, useId, useRef, useState } from "preact/hooks";

/** The fields of it, for a form; `set` is told what was typed when both are the same, else nothing. */
export function NewPassphrase({ set }: { set: (passphrase: string) => void }) {
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  // The settings may lie over another one.
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const again = useRef<HTMLInputElement>(null);
  useEffect(() => {
    again.current?.setCustomValidity(first === second ? "" : "This is not what was typed above.");
    set(first === second ? first : "");
  }, [first, second]);
  return (
    <>
      <div class="field">
        <label for={id}>Passphrase</label>
        <input id={id} ref={field} type="password" required minLength={8} autocomplete="new-password" value={first} onInput={({ currentTarget }) => setFirst(currentTarget.value)} />
        <p class="note">Eight letters at least; several words are better.</p>
      </div>
      <div class="field">
        <label for={`${id}-again`}>The same again</label>
        <input id={`${id}-again`} ref={again} type="password" required autocomplete="new-password" value={second} onInput={({ currentTarget }) => setSecond(currentTarget.value)} />
      </div>
      <p class="problem">Nobody can recover a lost passphrase: what is remembered is lost with it. An export is not encrypted; keep one elsewhere if in doubt.</p>
    </>
  );
}
