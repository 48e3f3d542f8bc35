import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { BootError } from "../errors.ts";
import { writeNew } from "../registry/atomic-file.ts";
import { registryRoot } from "../registry/index.ts";
import { identify, isRunning, signalProcess } from "./process-identity.ts";

/** Room for `/<12 hex digits>/control.sock` under the 107 bytes a socket path may have. */
const MAX_ROOT_BYTES = 70;
const OWNER_FILE = "owner";

/** Parent of all run directories of this user. */
export function runRoot(): string {
  const name = `machinen-${userInfo().uid}`;
  const preferred = resolve(process.env.XDG_RUNTIME_DIR || tmpdir(), name);
  return Buffer.byteLength(preferred) <= MAX_ROOT_BYTES ? preferred : join("/tmp", name);
}

/** /tmp belongs to everybody: a root that another user prepared must not be trusted with our sockets. */
function ensureRunRoot(): string {
  const root = runRoot();
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const stat = lstatSync(root);
  if (!stat.isDirectory() || stat.uid !== userInfo().uid || (stat.mode & 0o077) !== 0) {
    throw new BootError(
      "BOOT_PACK_FAILED",
      `${root} must be a directory of this user with mode 0700; remove it or set XDG_RUNTIME_DIR`,
    );
  }
  return root;
}

/** Paths inside one machine's run directory. */
export interface RunDir {
  path: string;
  execSocket: string;
  agentSocket: string;
  controlSocket: string;
  stats: string;
  initramfs: string;
  /** What the agent of a resumed machine is to be told. */
  resume: string;
  /** Value of `MACHINEN_VSOCK`. */
  vsock: string;
}

export function agentSocketIn(runDir: string): string {
  return join(runDir, "agent.sock");
}

function describeRunDir(path: string): RunDir {
  const execSocket = join(path, "exec.sock");
  const agentSocket = agentSocketIn(path);
  const ports: Array<[number, string]> = [
    [1970, agentSocket],
    [1974, join(path, "winsize.sock")],
    [1975, join(path, "secrets.sock")],
    [1976, join(path, "files.sock")],
    [1978, execSocket],
  ];
  return {
    path,
    execSocket,
    agentSocket,
    controlSocket: join(path, "control.sock"),
    stats: join(path, "stats"),
    initramfs: join(path, "initrd.cpio"),
    resume: join(path, "resume.json"),
    vsock: ports.map(([port, socket]) => `in:${port}:${socket}`).join(","),
  };
}

/** Who made a run directory, and in which registry its machine is to be found. */
interface Owner {
  pid: number;
  identity: string;
  registry: string;
}

/** A fresh private directory that names its creator, so that a crash before registration can be cleaned up. */
export function createRunDir(): RunDir {
  const root = ensureRunRoot();
  const path = join(root, randomBytes(6).toString("hex"));
  const owner = { ...identify(process.pid), registry: registryRoot() };
  mkdirSync(path, { mode: 0o700 });
  try {
    writeNew(join(path, OWNER_FILE), JSON.stringify(owner));
  } catch (error) {
    removeRunDir(path);
    throw error;
  }
  return describeRunDir(path);
}

export function removeRunDir(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function readOwner(path: string): Owner | undefined {
  try {
    const { pid, identity, registry } = JSON.parse(readFileSync(join(path, OWNER_FILE), "utf8"));
    const sound =
      typeof pid === "number" && [identity, registry].every((v) => typeof v === "string");
    return sound ? { pid, identity, registry } : undefined;
  } catch {
    return undefined;
  }
}

/** A run directory whose machine is in no registry and will not come into one. */
export interface OrphanDir {
  path: string;
  creatorPid: number;
}

/**
 * A directory whose creator has ended. Only the registry it was made for can tell whether it is an orphan: a
 * program with another `MACHINEN_REGISTRY_DIR` must not end these machines.
 */
function asAbandoned(path: string): OrphanDir | undefined {
  const owner = readOwner(path);
  if (owner === undefined || owner.registry !== registryRoot()) return undefined;
  return isRunning(owner) ? undefined : { path, creatorPid: owner.pid };
}

/** Processes started with this run directory: a VMM that lost its creator before it was registered. */
function endUsersOf(path: string): void {
  const needle = `\0MACHINEN_RUN_DIR=${path}\0`;
  let pids: string[] = [];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return;
  }
  for (const pid of pids) {
    const identity = identify(Number(pid));
    try {
      const environment = `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
      // Never a process of the runtime itself, should one have been started from inside a VMM's environment.
      if (!environment.includes(needle) || readlinkSync(`/proc/${pid}/exe`) === process.execPath) {
        continue;
      }
    } catch {
      continue;
    }
    if (identity) signalProcess(identity, "SIGKILL");
  }
}

/**
 * Remove run directories whose creator died before it registered its machine, and the machine with them.
 * `registered` reads which directories belong to registered machines; it is asked after the creators were
 * seen dead, because only then a machine that is not registered will never be. Returns what was (or would be)
 * removed.
 */
export function sweepRunDirs(registered: () => ReadonlySet<string>, dryRun = false): OrphanDir[] {
  const root = runRoot();
  let names: string[] = [];
  try {
    names = readdirSync(root);
  } catch {
    return [];
  }
  const abandoned = names
    .filter((name) => /^[0-9a-f]{12}$/.test(name))
    .flatMap((name) => asAbandoned(join(root, name)) ?? []);
  if (abandoned.length === 0) return [];
  const inUse = registered();
  const orphans = abandoned.filter(({ path }) => !inUse.has(path));
  if (dryRun) return orphans;
  for (const { path } of orphans) {
    endUsersOf(path);
    removeRunDir(path);
  }
  return orphans;
}
