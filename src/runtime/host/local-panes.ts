import { basename } from "node:path";
import { RegistryError } from "../errors.ts";
import { LocalSession } from "../multiplex/local-session.ts";
import type { Host, MachineInfo } from "./host.ts";

export interface LocalPaneOptions {
  /** For the user's shell. */
  command: string;
  count: number;
}

export interface HostWithLocalPanes extends Host {
  /** End every program that runs in a local pane. */
  close(): Promise<void>;
}

const FIRST_COLS = 80;
const FIRST_ROWS = 24;

const FIRST_SESSION = "main";

interface LocalPane {
  info: MachineInfo;
  /** A pane that is split has several. */
  sessions: Map<string, LocalSession>;
}

function startProgram(command: string, cols = FIRST_COLS, rows = FIRST_ROWS): LocalSession {
  return new LocalSession({ binary: "/bin/sh", args: ["-c", command], cols, rows });
}

function startPane(command: string, number: number): LocalPane {
  const name = `local-${number}`;
  const session = startProgram(command);
  const { pid } = session.pty;
  const program = basename(command.trim().split(/\s+/)[0] ?? "");
  const info: MachineInfo = {
    id: name,
    pid,
    name,
    local: program,
    state: "running",
    startedAt: Date.now(),
  };
  return { info, sessions: new Map([[FIRST_SESSION, session]]) };
}

/**
 * The machines of `host`, and beside them programs on PTYs of this computer. Those end when they are
 * closed: they are panes, not machines, and cannot be forked, snapshot or looked into.
 */
export function withLocalPanes(
  host: Host,
  { command, count }: LocalPaneOptions,
): HostWithLocalPanes {
  const panes = new Map<string, LocalPane>();
  for (let number = 1; number <= count; number++) {
    const pane = startPane(command, number);
    panes.set(pane.info.id, pane);
  }
  const running = ({ sessions }: LocalPane) => [...sessions].filter(([, { ended }]) => !ended);
  const live = (id: string): LocalPane | undefined => {
    const pane = panes.get(id);
    if (pane && running(pane).length === 0) {
      throw new RegistryError("REGISTRY_VM_NOT_FOUND", `the program in ${id} has ended`);
    }
    return pane;
  };
  const end = async (pane: LocalPane) => {
    await Promise.all([...pane.sessions.values()].map(({ pty }) => pty.kill()));
  };
  const refuse = (id: string) => {
    if (!panes.has(id)) return;
    throw new RegistryError(
      "REGISTRY_VM_NOT_FOUND",
      `${id} is a program on this computer, no machine: boot one to fork, save or compare it`,
    );
  };
  return {
    ...host,
    list: async () => [
      ...[...panes.values()].flatMap((pane) => (running(pane).length === 0 ? [] : [pane.info])),
      ...(await host.list()),
    ],
    openSession: async (id, options) => {
      const pane = live(id);
      if (!pane) return host.openSession(id, options);
      const { name = FIRST_SESSION, cols, rows } = options;
      const found = pane.sessions.get(name);
      if (found && !found.ended) return found.attach(options);
      const started = startProgram(options.command ?? command, cols, rows);
      pane.sessions.set(name, started);
      return started.attach(options);
    },
    listSessions: async (id) => {
      const pane = live(id);
      if (!pane) return host.listSessions(id);
      return running(pane).map(([name, { pty, cols, rows, clients }]) => {
        return { name, pid: pty.pid, cols, rows, clients, command };
      });
    },
    stop: async (id, options) => {
      const pane = live(id);
      if (pane) await end(pane);
      else await host.stop(id, options);
    },
    fork: async (id, options) => {
      refuse(id);
      return host.fork(id, options);
    },
    forkMany: async (id, number) => {
      refuse(id);
      return host.forkMany(id, number);
    },
    prepareFork: async (id) => {
      if (!panes.has(id)) await host.prepareFork(id);
    },
    snapshot: async (id, options) => {
      refuse(id);
      return host.snapshot(id, options);
    },
    compare: async (a, b) => {
      refuse(a);
      refuse(b);
      return host.compare(a, b);
    },
    readFile: async (id, path, limit) => {
      refuse(id);
      return host.readFile(id, path, limit);
    },
    exec: async (id, line, options) => {
      refuse(id);
      return host.exec(id, line, options);
    },
    close: async () => {
      await Promise.all([...panes.values()].map(end));
    },
  };
}
