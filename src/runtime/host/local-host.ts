import { join, resolve } from "node:path";
import { compareMachines, readGuestFile } from "../compare/index.ts";
import { waitForAgent } from "../control/agent-control.ts";
import { BootError, isMachinenError, RegistryError } from "../errors.ts";
import { listSessions, openSession, VsockExec } from "../exec/index.ts";
import { copyIn, copyOut } from "../files/index.ts";
import { readImageConfig, resolveImage } from "../images/index.ts";
import { attach } from "../machine/attach.ts";
import { boot } from "../machine/boot.ts";
import { killMachine, processOf } from "../machine/end-machine.ts";
import { filesSocket } from "../machine/guest-files.ts";
import { agentSocketIn } from "../machine/run-dir.ts";
import {
  findByName,
  list,
  liveEntries,
  type RegistryEntry,
  readEntry,
  watchRegistry,
} from "../registry/index.ts";
import { readBundleMeta } from "../snapshot/bundle.ts";
import { restore } from "../snapshot/restore.ts";
import { nextForkName, nextMachineName } from "./default-names.ts";
import type { Host, HostBootOptions, MachineInfo } from "./host.ts";
import { machineInfo } from "./machine-info.ts";
import { renameMachine } from "./rename-machine.ts";
import { bundleDirectoryName, listBundles, snapshotRoot } from "./snapshot-store.ts";
import { stopMachine } from "./stop-machine.ts";

const DEFAULT_IMAGE = "tiny";
const DEFAULT_MEMORY_MIB = 512;
const AGENT_MS = 120_000;
/** Another process may take one of several names between our look and our call. */
const NAME_ATTEMPTS = 3;
/** More forks than this are refused, whatever their names. */
const MAX_NAMES = 100;
const DEFAULT_SESSION = "main";
const LOGIN_SHELL = "if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi";

/** A live machine by its id; names are taken too. */
function find(id: string): RegistryEntry {
  const entry = (/^\d+$/.test(id) ? readEntry(Number(id)) : undefined) ?? findByName(id);
  if (entry && processOf(entry)) return entry;
  throw new RegistryError("REGISTRY_VM_NOT_FOUND", `no machine ${JSON.stringify(id)} is running`);
}

const takenNames = (): string[] => liveEntries().flatMap(({ name }) => name ?? []);

/**
 * Start a machine under the name given, or under the first free one of a series: other processes choose
 * names too, so a name that was free a moment ago may be taken.
 */
async function named<T>(
  name: string | undefined,
  choose: (taken: ReadonlySet<string>) => string,
  start: (name: string) => Promise<T>,
): Promise<T> {
  if (name !== undefined) return start(name);
  const taken = new Set(takenNames());
  for (;;) {
    const chosen = choose(taken);
    try {
      return await start(chosen);
    } catch (error) {
      if (!isMachinenError(error, "REGISTRY_NAME_IN_USE")) throw error;
      taken.add(chosen);
    }
  }
}

/** The same for several machines that start together or not at all. */
async function namedTogether<T>(
  count: number,
  choose: (taken: ReadonlySet<string>) => string,
  start: (names: string[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const taken = new Set(takenNames());
    const names: string[] = [];
    while (names.length < Math.min(count, MAX_NAMES)) {
      names.push(choose(taken));
      taken.add(names.at(-1)!);
    }
    try {
      return await start(names);
    } catch (error) {
      if (!isMachinenError(error, "REGISTRY_NAME_IN_USE") || attempt === NAME_ATTEMPTS) throw error;
    }
  }
}

async function infoOf(pid: number): Promise<MachineInfo> {
  return machineInfo(find(String(pid)));
}

/** Of an image without a command of its own: idle. Undefined: what the image, or the error about it, says. */
function defaultCommand(image: string): string[] | undefined {
  try {
    return readImageConfig(resolveImage(image))?.cmd === undefined ? [] : undefined;
  } catch {
    return undefined;
  }
}

async function bootMachine(options: HostBootOptions): Promise<MachineInfo> {
  const image = options.image ?? DEFAULT_IMAGE;
  const { pid } = await named(options.name, nextMachineName, (name) =>
    boot({
      name,
      image,
      cmd: options.command ?? defaultCommand(image),
      env: options.env,
      portForward: options.portForward,
      liveMounts: options.liveMounts,
      mount: options.mount,
      network: options.network,
      memory: options.memoryMib ?? DEFAULT_MEMORY_MIB,
      cpus: options.cpus,
      // The tiny base is a few MB: in RAM it boots sooner than a disk can be made.
      rootDisk: image === DEFAULT_IMAGE ? false : undefined,
      detached: true,
    }),
  );
  const entry = find(String(pid));
  try {
    await waitForAgent(agentSocketIn(entry.runDir!), AGENT_MS, () => !processOf(entry));
  } catch (error) {
    await killMachine(entry);
    throw new BootError("BOOT_TIMEOUT", `${entry.name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return infoOf(pid);
}

/** Machines on this host, whoever booted them. */
export function createLocalHost(): Host {
  return {
    list: () => Promise.all(list().map(machineInfo)),
    watch: watchRegistry,
    boot: (options = {}) => bootMachine(options),
    fork: async (id, { memoryMib: memory, ...options } = {}) => {
      const source = find(id);
      const handle = await attach({ pid: source.pid });
      const fork = await named(
        options.name,
        (taken) => nextForkName(source.name, taken),
        (name) => handle.fork({ ...options, memory, name, detached: true }),
      );
      return infoOf(fork.pid);
    },
    forkMany: async (id, count, { memoryMib: memory } = {}) => {
      const source = find(id);
      const handle = await attach({ pid: source.pid });
      const forks = await namedTogether(
        count,
        (taken) => nextForkName(source.name, taken),
        (names) => handle.forkMany(count, { names, memory, detached: true }),
      );
      return Promise.all(forks.map(({ pid }) => infoOf(pid)));
    },
    prepareFork: async (id) => (await attach({ pid: find(id).pid })).prepareFork(),
    snapshot: async (id, options = {}) => {
      const { pid, name } = find(id);
      const directory = resolve(
        options.directory ??
          join(snapshotRoot(), bundleDirectoryName(name ?? String(pid), new Date())),
      );
      const handle = await attach({ pid });
      // Nobody at a terminal wants a machine killed because its disk is slow: they can interrupt us.
      const timeoutMs = options.stop ? Number.POSITIVE_INFINITY : undefined;
      await handle.snapshot({ outDir: directory, leaveRunning: !options.stop, timeoutMs });
      return { directory };
    },
    restore: async (directory, { memoryMib: memory, ...options } = {}) => {
      const snapDir = resolve(directory);
      const source = readBundleMeta(snapDir).sourceName;
      const restored = await named(
        options.name,
        (taken) =>
          source !== undefined && !taken.has(source) ? source : nextForkName(source, taken),
        (name) => restore({ ...options, memory, snapDir, name, detached: true }),
      );
      return infoOf(restored.pid);
    },
    listSnapshots: async () => listBundles(),
    rename: async (id, name) => renameMachine(find(id), name),
    stop: async (id, options = {}) => stopMachine(find(id), options.graceMs),
    compare: async (a, b) => compareMachines(find(a), find(b)),
    readFile: async (id, path, limit) => readGuestFile(find(id), path, limit),
    exec: async (id, command, options = {}) =>
      VsockExec.run(find(id).socketPath, command, { execTimeoutMs: options.timeoutMs }),
    copyIn: async (id, from, to, options) => copyIn(filesSocket(find(id)), from, to, options),
    copyOut: async (id, from, to, options) => copyOut(filesSocket(find(id)), from, to, options),
    openSession: async (id, options) =>
      openSession(find(id).socketPath, {
        ...options,
        name: options.name ?? DEFAULT_SESSION,
        command: options.command ?? LOGIN_SHELL,
      }),
    listSessions: async (id) => listSessions(find(id).socketPath),
  };
}
