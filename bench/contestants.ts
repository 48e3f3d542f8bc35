import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { OuterTerminal } from "./outer-terminal.ts";

/** No login shell: /etc/profile would choose another prompt. */
const SHELL = "exec sh";
export const COLS = 200;
export const ROWS = 50;

/** A multiplexer under test, by the keys a user would press. */
export interface Contestant {
  name: string;
  /** Start it with so many panes; the shells in them are started by it. */
  start(panes: number): OuterTerminal;
  /** Bring the first pane under the keys. */
  enter(terminal: OuterTerminal, panes: number): Promise<void>;
  /** Leave the pane under the keys for the next one. */
  next(terminal: OuterTerminal): Promise<void>;
  /** Its own processes, without the programs in its panes. */
  pids(terminal: OuterTerminal): number[];
  stop(): void;
}

/** The same shell for everybody: nothing but a prompt. */
export function environment(directory: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: directory,
    SHELL: "/bin/sh",
    PS1: "$ ",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    COLORTERM: "truecolor",
    MACHINEN_REGISTRY_DIR: join(directory, "registry"),
  };
}

export function tmux(directory: string): Contestant {
  const base = ["-S", join(directory, "tmux.sock"), "-f", "/dev/null"];
  const ask = (...words: string[]) =>
    spawnSync("tmux", [...base, ...words], { encoding: "utf8" }).stdout;
  return {
    name: "tmux",
    start: () =>
      new OuterTerminal(
        "tmux",
        [...base, "new-session", SHELL],
        COLS,
        ROWS,
        environment(directory),
      ),
    async enter(terminal, panes) {
      await terminal.settle(500);
      for (let pane = 1; pane < panes; pane++) ask("split-window", SHELL);
      if (panes > 1) {
        ask("select-layout", "tiled");
        ask("select-pane", "-t", "0");
      }
      await terminal.settle();
    },
    async next(terminal) {
      terminal.type("\x02o");
      await terminal.settle();
    },
    pids: (terminal) => [terminal.pid, Number(ask("display-message", "-p", "#{pid}"))],
    stop: () => void ask("kill-server"),
  };
}

/** The program of this checkout, with shells of this computer in its panes: what is under test is it, not a guest. */
export function machinen(directory: string): Contestant {
  const cli = new URL("../dist/cli.js", `file://${process.argv[1]}`).pathname;
  return {
    name: "machinen",
    start: (panes) =>
      new OuterTerminal(
        process.execPath,
        [cli, "tui", "--local", SHELL, "--panes", String(panes)],
        COLS,
        ROWS,
        environment(directory),
      ),
    async enter(terminal, panes) {
      await terminal.settle(500);
      if (panes === 1) {
        terminal.type("z");
        await terminal.settle();
      }
      terminal.type("\r");
      await terminal.settle();
    },
    async next(terminal) {
      terminal.type("\x1d\x1d");
      await terminal.settle();
      terminal.type("j");
      await terminal.settle();
      terminal.type("\r");
      await terminal.settle();
    },
    pids: (terminal) => [terminal.pid],
    stop() {},
  };
}
