import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { BootError } from "../errors.ts";
import { hasCode, writeNew } from "../registry/atomic-file.ts";
import { registryRoot } from "../registry/index.ts";
import { identify } from "./process-identity.ts";

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

/** A directory on its way to be a run directory, and the pid of who makes it. */
export const UNFINISHED = /^\.(\d+)-[0-9a-f]{12}$/;

/**
 * A fresh private directory that names its creator, so that a crash before registration can be cleaned up. It
 * appears under its name with the creator in it.
 */
export function createRunDir(): RunDir {
  const root = ensureRunRoot();
  const name = randomBytes(6).toString("hex");
  const path = join(root, name);
  const unfinished = join(root, `.${process.pid}-${name}`);
  const owner = { ...identify(process.pid), registry: registryRoot() };
  mkdirSync(unfinished, { mode: 0o700 });
  try {
    writeNew(join(unfinished, OWNER_FILE), JSON.stringify(owner));
    renameSync(unfinished, path);
  } catch (error) {
    removeRunDir(unfinished);
    throw error;
  }
  return describeRunDir(path);
}

export function removeRunDir(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** `none`: it is being removed, or whoever did so has died. Undefined: nobody can tell. */
export function readOwner(path: string): Owner | "none" | undefined {
  try {
    const { pid, identity, registry } = JSON.parse(readFileSync(join(path, OWNER_FILE), "utf8"));
    const sound =
      typeof pid === "number" && [identity, registry].every((v) => typeof v === "string");
    return sound ? { pid, identity, registry } : undefined;
  } catch (error) {
    return hasCode(error, "ENOENT") ? "none" : undefined;
  }
}
