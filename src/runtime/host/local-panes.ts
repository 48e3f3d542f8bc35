import { RegistryError } from "../errors.ts";
import type { Host } from "./host.ts";
import { type LocalFailure, LocalPane } from "./local-pane.ts";

export type { LocalFailure } from "./local-pane.ts";

export interface LocalPaneOptions {
  /** For the user's shell. */
  command: string;
  count: number;
}

export interface HostWithLocalPanes extends Host {
  /** Resolves when a program cannot be run, or ends with an error at once; else it never does. */
  readonly failed: Promise<LocalFailure>;
  /** End every program that runs in a local pane. */
  close(): Promise<void>;
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
  const failed = new Promise<LocalFailure>((resolve) => {
    for (let number = 1; number <= count; number++) {
      const pane = new LocalPane(command, number, resolve);
      panes.set(pane.info.id, pane);
    }
  });
  const refuse = (id: string) => {
    if (!panes.has(id)) return;
    throw new RegistryError(
      "REGISTRY_VM_NOT_FOUND",
      `${id} is a program on this computer, no machine: boot one to fork, save or compare it`,
    );
  };
  return {
    ...host,
    failed,
    list: async () => [
      ...[...panes.values()].flatMap((pane) => (pane.listed ? [pane.info] : [])),
      ...(await host.list()),
    ],
    openSession: async (id, options) =>
      panes.get(id)?.open(options) ?? host.openSession(id, options),
    listSessions: async (id) => panes.get(id)?.list() ?? host.listSessions(id),
    stop: async (id, options) => {
      const pane = panes.get(id);
      if (pane) await pane.stop();
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
      await Promise.all([...panes.values()].map((pane) => pane.stop()));
    },
  };
}
