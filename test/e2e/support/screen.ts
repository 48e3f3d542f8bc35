import { OuterTerminal } from "../../ui/support/outer-terminal.ts";
import type { World } from "./world.ts";

export const DETACH = ["\x1d", "\x1d"];

/** The real program on a terminal, as a job of a shell that tells how it ended and what it left of the terminal. */
export function onTerminal(world: World, args: string, cols = 160, rows = 45): OuterTerminal {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(world.env)) if (value !== undefined) env[name] = value;
  const command = `before=$(stty -g); "${world.binary}" ${args}; code=$?
    [ "$before" = "$(stty -g)" ] && echo "GIVEN BACK"; echo "EXIT $code"; sleep 60`;
  return new OuterTerminal(command, env, cols, rows);
}

/** The inside of the pane whose title line names the machine. */
export function pane(outer: OuterTerminal, name: string): string {
  const lines = outer.lines();
  const cells = lines.map((line) => [...line]);
  for (const [y, row] of cells.entries()) {
    const text = row.join("");
    const title = text.indexOf(`╭─ ${name} `);
    if (title < 0) continue;
    const width = row.indexOf("╮", title) - title - 1;
    const height = cells.slice(y + 1).findIndex((below) => below[title] === "╰");
    if (width > 0 && height > 0) return outer.region(title + 1, y + 1, width, height);
  }
  return "";
}

/** Types into the selected pane from here on. */
export async function attach(outer: OuterTerminal): Promise<void> {
  await outer.type("\r");
  await outer.until("attached");
}

export async function detach(outer: OuterTerminal): Promise<void> {
  await outer.type(...DETACH);
  await outer.until(() => !outer.text().includes("attached"));
}

/** The machines stay, and the terminal is as it was before. */
export async function quit(outer: OuterTerminal): Promise<void> {
  await outer.type("q");
  await outer.until("GIVEN BACK\nEXIT 0");
}

/** Keys right after the end of a shell are taken as meant for it: until one counts. */
export async function quitAfterEnd(outer: OuterTerminal): Promise<void> {
  while (outer.alternateScreen) {
    await outer.type("q");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await outer.until(/GIVEN BACK\n(?:.*\n)*EXIT 0/);
}
