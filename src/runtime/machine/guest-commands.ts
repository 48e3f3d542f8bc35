import { ExecError } from "../errors.ts";
import {
  runWatched,
  VsockExec,
  type VsockExecOptions,
  type VsockExecPtyHandle,
  type VsockExecPtyOptions,
  type VsockExecResult,
} from "../exec/index.ts";
import type { OnLog } from "../log.ts";
import type { WriteFileOptions } from "./vm-handle.ts";
import { buildWriteFileCmds } from "./write-file.ts";

const SHOWN_STDERR_CHARS = 2000;
const END_POLL_MS = 200;

/** What a handle can do inside its guest. */
export interface GuestCommands {
  exec(cmd: string, opts?: VsockExecOptions): Promise<VsockExecResult>;
  execRaw(cmd: string, opts?: VsockExecOptions): Promise<VsockExecResult>;
  execPty(cmd: string, opts: VsockExecPtyOptions): VsockExecPtyHandle;
  writeFile(guestPath: string, contents: Buffer | string, opts?: WriteFileOptions): Promise<void>;
}

function shorten(cmd: string): string {
  return cmd.length > 200 ? `${cmd.slice(0, 200)}...` : cmd;
}

/** Whether a machine still runs, and what it had to say when it does not. */
export interface Liveness {
  isAlive(): boolean;
  lastWords?(): Promise<string>;
}

async function hasEnded({ lastWords }: Liveness): Promise<ExecError> {
  const words = (await lastWords?.()) ?? "";
  const reason = words === "" ? "" : `; its console ends with:\n${words}`;
  return new ExecError("EXEC_AGENT_UNAVAILABLE", `the machine has ended${reason}`);
}

/** Rejects when the machine ends: waiting for its agent to appear would be in vain. */
function watchEnd(machine: Liveness): { ended: Promise<never>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    const check = () => {
      if (!machine.isAlive()) {
        clearInterval(timer);
        void hasEnded(machine).then(reject);
      }
    };
    timer = setInterval(check, END_POLL_MS);
    check();
  });
  ended.catch(() => {});
  return { ended, stop: () => clearInterval(timer) };
}

/** `socketPath` is the machine's exec socket; empty when it has none. */
export function guestCommands(socketPath: string, machine: Liveness, onLog?: OnLog): GuestCommands {
  const socket = () => {
    if (socketPath) return socketPath;
    throw new ExecError(
      "EXEC_VSOCK_UNAVAILABLE",
      "this machine was started with a MACHINEN_VSOCK of its own, without guest port 1978",
    );
  };
  const execRaw: GuestCommands["execRaw"] = async (cmd, opts = {}) => {
    const path = socket();
    const watch = watchEnd(machine);
    const run = runWatched(path, cmd, opts, (kind, chunk) =>
      onLog?.({ source: `exec-${kind}`, cmd, chunk }),
    );
    try {
      return await Promise.race([run, watch.ended]);
    } finally {
      watch.stop();
    }
  };
  const exec: GuestCommands["exec"] = async (cmd, opts) => {
    const result = await execRaw(cmd, opts);
    if (result.exitCode === 0) return result;
    const stderr = result.stderr.trim().slice(-SHOWN_STDERR_CHARS);
    throw new ExecError(
      "EXEC_NONZERO_EXIT",
      `the command ended with ${result.exitCode}: ${shorten(cmd)}${stderr ? `\n${stderr}` : ""}`,
    );
  };
  return {
    exec,
    execRaw,
    execPty: (cmd, opts) => VsockExec.startPty(socket(), cmd, opts),
    writeFile: async (guestPath, contents, opts) => {
      for (const cmd of buildWriteFileCmds(guestPath, contents, opts)) await exec(cmd);
    },
  };
}
