// How views hang on the session.
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Memory } from "./edgemem.js";
import type { Session } from "./session.js";

export const Current = createContext<Session | undefined>(undefined);

/** The session; the view is drawn anew whenever it changes. */
export function useSession(): Session {
  const session = useContext(Current) as Session;
  const [, count] = useState(0);
  useEffect(() => session.subscribe(() => count((number) => number + 1)), [session]);
  return session;
}

interface Asked<T> {
  value: T | undefined;
  problem: string | undefined;
  /** It takes longer than one would wait without being told. */
  slow: boolean;
}

/** What the memory answers; asked again when it has changed. The last answer is shown meanwhile. */
export function useAsked<T>(ask: (memory: Memory) => Promise<T>, more: readonly unknown[] = []): Asked<T> {
  const session = useSession();
  const { place, revision } = session;
  const [asked, set] = useState<Asked<T> & { memory?: Memory }>({ value: undefined, problem: undefined, slow: false });
  useEffect(() => {
    const memory = place?.memory;
    if (!memory) {
      set({ value: undefined, problem: undefined, slow: false });
      return undefined;
    }
    let wanted = true;
    const slow = setTimeout(() => wanted && set((old) => ({ ...old, slow: true })), 600);
    ask(memory)
      .then((value) => wanted && set({ value, problem: undefined, slow: false }))
      .catch((error: unknown) => wanted && set((old) => ({ ...old, problem: session.explain(error), slow: false })))
      .finally(() => clearTimeout(slow));
    return () => {
      wanted = false;
      clearTimeout(slow);
    };
  }, [place, revision, ...more]);
  return asked;
}
