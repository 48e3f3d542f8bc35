import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { bundleTui } from "./bundle.ts";
import { OuterTerminal } from "./outer-terminal.ts";

export const detach = ["\x1d", "\x1d"];

export interface Tui {
  /** Where its bundle and what it leaves is; there once the tests run. */
  readonly directory: string;
  readonly script: string;
  /** The TUI as a shell's job: what it leaves behind of the terminal is looked at afterwards. */
  start(env?: Record<string, string>, cols?: number, rows?: number): Promise<OuterTerminal>;
  /** The TUI's own process: the shell's child. */
  pid(): number;
  /** Ended with the test. */
  keep(terminal: OuterTerminal): OuterTerminal;
  expectGivenBack(outer: OuterTerminal, code: number): Promise<void>;
}

/** The TUI over local shells, bundled once for a test file. */
export function useTui(): Tui {
  let bundle: { directory: string; script: string };
  const opened: OuterTerminal[] = [];
  beforeAll(async () => {
    bundle = await bundleTui();
  }, 60_000);
  afterEach(() => {
    for (const terminal of opened.splice(0)) terminal.kill("SIGKILL");
  });
  afterAll(() => rmSync(bundle.directory, { recursive: true, force: true }));
  const file = (name: string): string => join(bundle.directory, name);
  const keep = (terminal: OuterTerminal): OuterTerminal => {
    opened.push(terminal);
    return terminal;
  };
  return {
    get directory() {
      return bundle.directory;
    },
    get script() {
      return bundle.script;
    },
    keep,
    start: async (env = {}, cols = 120, rows = 34) => {
      const stty = (name: string): string => `stty -a >"${file(name)}"`;
      const command = `${stty("before")}; echo $$ >"${file("shell.pid")}"
    "${process.execPath}" "${bundle.script}"; code=$?; ${stty("after")}; echo "EXIT $code"; sleep 60`;
      // Nothing of the user's own, and nothing of the test before.
      const home = mkdtempSync(file("home-"));
      const own = { XDG_CONFIG_HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home };
      const all = { TEST_MACHINES: "2", ...own, ...env };
      const terminal = keep(new OuterTerminal(command, all, cols, rows));
      if (cols >= 40 && rows >= 10) await terminal.until("machines");
      return terminal;
    },
    pid: () => {
      const shell = readFileSync(file("shell.pid"), "utf8").trim();
      const children = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8");
      return Number(children.trim().split(" ")[0]);
    },
    expectGivenBack: async (outer, code) => {
      await outer.until(`EXIT ${code}`);
      expect(outer.alternateScreen).toBe(false);
      expect(outer.screen.modes).toMatchObject({
        mouseTrackingMode: "none",
        bracketedPasteMode: false,
        sendFocusMode: false,
        applicationCursorKeysMode: false,
      });
      expect(outer.lastIs("\x1b[?25h", "\x1b[?25l")).toBe(true);
      expect(outer.lastIs("\x1b[?2026l", "\x1b[?2026h")).toBe(true);
      const [before, after] = ["before", "after"].map((name) => readFileSync(file(name), "utf8"));
      expect(after).toBe(before);
    },
  };
}
