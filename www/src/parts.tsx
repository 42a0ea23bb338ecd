// Small things that views share.
import type { ComponentChildren } from "preact";
import { diff } from "./diff.js";
import { daysOf, tell, type Told } from "./past.js";
import { useAsked, useSession } from "./hooks.js";

const PATHS = {
  chat: "M4 5h16v11H9l-5 4z",
  changes: "M4 7h11m-4-4 4 4-4 4M20 17H9m4-4-4 4 4 4",
  memories: "M5 4h14v16H5zM9 9h6M9 13h6",
  graph: "M6 6m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M18 8m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M10 18m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M8.4 6.4l7.2 1.2M7 8.3l2.2 7.3M16.4 9.9l-4.7 6.3",
  recall: "M10.5 10.5m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M15 15l5 5",
  settle: "M12 4v16M8 20h8M5 7h14M5 7l-2.5 6h5zM19 7l-2.5 6h5z",
  data: "M12 4v10m-4-4 4 4 4-4M5 18h14",
  settings: "M4 7h9m5 0h2M4 17h3m5 0h8M15.5 7m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M9.5 17m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0",
  moon: "M19 14.5A7.5 7.5 0 0 1 9.5 5 7.5 7.5 0 1 0 19 14.5z",
  sun: "M12 12m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0M12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4",
  send: "M12 19V5m-6 6 6-6 6 6",
  stop: "M7 7h10v10H7z",
  play: "M8 5l11 7-11 7z",
  close: "M6 6l12 12M18 6L6 18",
  erase: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
};

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** What stands where there is nothing yet. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h3>{title}</h3>
      <div>{children}</div>
    </div>
  );
}

/** Tells what went wrong, or that it takes a while. */
export function Waiting({ problem, slow }: { problem: string | undefined; slow: boolean }) {
  const session = useSession();
  if (problem) return <p class="problem" role="alert">{problem} <button type="button" class="link" onClick={() => session.refresh()}>Try again</button></p>;
  return slow ? <p class="busy" role="status"><span class="spinner" />Reading the memory …</p> : null;
}

/** Words that differ; the space before them does not. */
function Marked({ as: Mark, text }: { as: "del" | "ins"; text: string }) {
  return <>{/^\s*/.exec(text)?.[0]}<Mark>{text.trimStart()}</Mark></>;
}

/** An old text and the new one, with what differs marked. */
export function Difference({ old, now }: { old: string; now: string }) {
  const pieces = diff(old, now);
  return (
    <>
      <p class="old"><span class="visually-hidden">Before: </span>{pieces.map(({ kind, text }) => kind === "gone" ? <Marked as="del" text={text} /> : kind === "same" ? text : null)}</p>
      <p class="now"><span class="visually-hidden">Now: </span>{pieces.map(({ kind, text }) => kind === "new" ? <Marked as="ins" text={text} /> : kind === "same" ? text : null)}</p>
    </>
  );
}

/** How much something is, of one, as a bar. */
export function Level({ value }: { value: number }) {
  return <span class="level" aria-hidden="true"><i style={{ width: `${Math.round(100 * Math.min(1, Math.max(0, value)))}%` }} /></span>;
}

export function Tag({ children, kind = "" }: { children: ComponentChildren; kind?: string }) {
  return <span class={`tag ${kind}`}>{children}</span>;
}

/** `personal_details` as words. */
export const words = (name: string): string => name.replaceAll("_", " ");

const dates = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });

/** A date for people. */
export function date(moment: string): string {
  const time = new Date(moment);
  return Number.isNaN(time.getTime()) ? moment : dates.format(time);
}

/** Facts and messages with their histories. */
export function useTold(transcript = false): ReturnType<typeof useAsked<Told[]>> {
  return useAsked((memory) => tell(memory, transcript), [transcript]);
}

/** The moment that views look from: a slider over the days on which something changed. */
export function TimeBar({ told }: { told: Told[] | undefined }) {
  const session = useSession();
  const days = daysOf(told ?? []);
  if (days.length < 2) return null;
  // The last place is now, the others are the ends of days.
  const last = days.length - 1;
  const place = session.day === undefined ? last : Math.max(0, days.findLastIndex((day) => day <= (session.day as string)));
  const said = place === last ? "now" : `at the end of ${date(days[place] as string)}`;
  return (
    <div class="time">
      <label for="time">Time</label>
      <input
        id="time"
        type="range"
        min="0"
        max={last}
        step="1"
        value={place}
        aria-valuetext={said}
        onInput={({ currentTarget }) => {
          const chosen = Number(currentTarget.value);
          session.set({ day: chosen === last ? undefined : days[chosen] });
        }}
      />
      <output for="time" class={session.day === undefined ? "" : "past"}>{place === last ? "Now" : date(days[place] as string)}</output>
      <button type="button" class="icon-only" aria-label="Back to now" title="Back to now" disabled={session.day === undefined} onClick={() => session.set({ day: undefined })}><Icon name="close" /></button>
    </div>
  );
}
