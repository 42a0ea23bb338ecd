// Dark or light: as the system says, until the visitor says otherwise.
import { localStorageOf, read, write } from "./settings.js";

const NAME = "edgemem-app/theme";
export type Theme = "dark" | "light";

const system = (): Theme => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

export function currentTheme(): Theme {
  return read<{ theme: Theme }>(localStorageOf(), NAME)?.theme ?? system();
}

/** Remembers a choice, unless it is the system's own. */
export function setTheme(theme: Theme): void {
  write(localStorageOf(), NAME, theme === system() ? undefined : { theme });
  showTheme();
}

/** Shows what was chosen. */
export function showTheme(): void {
  document.documentElement.dataset["theme"] = currentTheme();
}
