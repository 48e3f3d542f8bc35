import type { Socket } from "node:net";
import { finished, type Readable, type Writable } from "node:stream";
import { RegistryError } from "../runtime/errors.ts";
import { ask, readFrames } from "../runtime/exec/conversation.ts";
import { FrameInput } from "../runtime/exec/frame-input.ts";
import { execRequest } from "../runtime/exec/requests.ts";
import type { MachineInfo } from "../runtime/host/host.ts";
import { readEntry } from "../runtime/registry/index.ts";

const patience = { timeoutMs: 30_000, retryMs: 250 };

export interface StreamExecOptions {
  stdout: Writable;
  stderr: Writable;
  /** Passed on to the command; without it the command's input is empty. */
  stdin?: Readable;
}

/**
 * Runs a command and passes its output on as it comes; resolves to its exit code. Host.exec answers
 * when the command has ended and keeps all its output until then: no way to follow a log.
 */
export async function streamExec(
  machine: MachineInfo,
  command: string,
  { stdout, stderr, stdin }: StreamExecOptions,
): Promise<number> {
  const entry = readEntry(machine.pid);
  if (!entry)
    throw new RegistryError(
      "REGISTRY_VM_NOT_FOUND",
      `the machine with pid ${machine.pid} has ended`,
    );
  const request = execRequest(command, { stdin: stdin !== undefined });
  const socket = await ask(entry.socketPath, request, patience);
  if (stdin) passInput(stdin, socket);
  return new Promise((resolve, reject) => {
    readFrames(
      socket,
      { data: (kind, bytes) => passOutput(bytes, kind === "E" ? stderr : stdout, socket) },
      (ending) => ("error" in ending ? reject(ending.error) : resolve(ending.code)),
    );
  });
}

/** A reader that is slow holds the command back instead of filling our memory. */
function passOutput(bytes: Buffer, to: Writable, socket: Socket): void {
  if (to.write(bytes)) return;
  socket.pause();
  to.once("drain", () => socket.resume());
}

function passInput(stdin: Readable, socket: Socket): void {
  const input = new FrameInput(Promise.resolve(socket));
  stdin.pipe(input);
  finished(input, () => {
    if (!socket.destroyed) socket.write("C\n");
  });
}
