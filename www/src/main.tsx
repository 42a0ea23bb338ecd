// The page: a chat, and beside it what is remembered.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Current, useAsked, useSession } from "./hooks.js";
import { Empty, Icon, type IconName } from "./parts.js";
import { Session } from "./session.js";
import { standard } from "./settings.js";
import { currentTheme, setTheme, showTheme } from "./theme.js";
import { Changes } from "./views/changes.js";
import { Chat } from "./views/chat.js";
import { Data } from "./views/data.js";
import { Door } from "./views/door.js";
import { Graph } from "./views/graph.js";
import { Memories } from "./views/memories.js";
import { Recall } from "./views/recall.js";
import { SettingsDialog } from "./views/settings.js";
import { Settle } from "./views/settle.js";

const VIEWS = [
  ["chat", "Chat"],
  ["changes", "Changes"],
  ["memories", "Memories"],
  ["graph", "Graph"],
  ["recall", "Recall"],
  ["settle", "Settle"],
  ["data", "Data"],
] as const satisfies readonly (readonly [IconName, string])[];

type View = (typeof VIEWS)[number][0];

const wide = matchMedia("(min-width: 900px)");

/** In an address: the memory is on the server that the page comes from. */
const SERVER = "#server";

/** The settings for that. It goes from the address, so that a reload leaves what the visitor chooses then. */
function onServer({ settings }: Session): Session["settings"] {
  history.replaceState(null, "", location.pathname + location.search);
  return settings.place === "server" ? settings : { ...settings, place: "server", host: standard.host };
}

/** The view that the address names. */
function viewOf(hash: string): View {
  const named = VIEWS.find(([view]) => `#${view}` === hash)?.[0];
  return named ?? (wide.matches ? "changes" : "chat");
}

function App() {
  const session = useSession();
  const { problem, said, door } = session;
  const [view, setView] = useState<View>(viewOf(location.hash));
  const [settings, setSettings] = useState(false);
  const [theme, setShown] = useState(currentTheme());
  const dark = theme === "dark";
  useEffect(() => {
    const look = (): void => {
      if (location.hash === SERVER) void session.open(onServer(session));
      setView(viewOf(location.hash));
    };
    const system = (): void => {
      showTheme();
      setShown(currentTheme());
    };
    addEventListener("hashchange", look);
    addEventListener("online", () => (session.place ? session.refresh() : session.problem && void session.open()));
    wide.addEventListener("change", look);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", system);
  }, []);
  // The chat is always there where there is room for it.
  const shown = wide.matches && view === "chat" ? "changes" : view;
  const { value: open } = useAsked(async (memory) => (await memory.contradictions()).count);
  return (
    <div class={door ? "app at-door" : shown === "chat" ? "app at-chat" : "app"}>
      <header class="top">
        <h1><svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="3.2" /><path d="M12 3a9 9 0 1 1-8.3 5.5" /><circle cx="5.2" cy="5.6" r="1.7" /></svg>edgemem</h1>
        <p class="tagline">Memory for agents, {session.settings.place === "server" ? "on your server" : "in this page"}</p>
        <button type="button" class="icon-only" aria-label={dark ? "Light colours" : "Dark colours"} onClick={() => { setTheme(dark ? "light" : "dark"); setShown(currentTheme()); }}><Icon name={dark ? "sun" : "moon"} /></button>
        <button type="button" class="icon-only" aria-label="Settings" onClick={() => setSettings(true)}><Icon name="settings" /></button>
      </header>
      {problem && (
        <div class="alert" role="alert">
          <p>{problem}</p>
          {!session.place && <button type="button" class="small" onClick={() => void session.open()}>Try again</button>}
          {!session.place && <button type="button" class="small" onClick={() => setSettings(true)}>Open settings</button>}
          <button type="button" class="quiet small" onClick={() => session.set({ problem: undefined })}>Dismiss</button>
        </div>
      )}
      <p class="visually-hidden" aria-live="polite">{said}</p>
      <Chat visible={wide.matches || shown === "chat"} openSettings={() => setSettings(true)} />
      <nav aria-label="Views">
        {VIEWS.map(([name, label]) => (
          <a key={name} href={`#${name}`} data-view={name} aria-current={shown === name ? "page" : undefined}>
            <Icon name={name} />
            <span>{label}</span>
            {name === "settle" && open ? <b class="badge" aria-label={`${open} open`}>{open}</b> : null}
          </a>
        ))}
      </nav>
      <main data-view={door ? "door" : shown} id="view" tabindex={-1} aria-label={door ? "Opening" : VIEWS.find(([name]) => name === shown)?.[1]}>
        {door ? <Door openSettings={() => setSettings(true)} /> : <Shown key={`${session.settings.place} ${session.settings.host} ${session.settings.userId}`} view={shown} />}
      </main>
      <SettingsDialog open={settings} close={() => setSettings(false)} />
    </div>
  );
}

function Shown({ view }: { view: View }) {
  const session = useSession();
  if (!session.place) {
    return session.busy ? null : <Empty icon="data" title="The memory is not open">Try again, or choose another one in the settings.<p><button type="button" onClick={() => void session.open()}>Try again</button></p></Empty>;
  }
  switch (view) {
    case "memories":
      return <Memories />;
    case "graph":
      return <Graph />;
    case "recall":
      return <Recall />;
    case "settle":
      return <Settle />;
    case "data":
      return <Data />;
    default:
      return <Changes />;
  }
}

showTheme();
const session = new Session();
void session.open(location.hash === SERVER ? onServer(session) : undefined);
const root = document.getElementById("app") as HTMLElement;
root.replaceChildren();
render(<Current.Provider value={session}><App /></Current.Provider>, root);
