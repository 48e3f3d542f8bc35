import type { Writable } from "node:stream";
import { RegistryError } from "../runtime/errors.ts";
import { VsockExec } from "../runtime/exec/index.ts";
import type { MachineInfo } from "../runtime/host/host.ts";
import { readEntry } from "../runtime/registry/index.ts";

/**
 * Runs a command and passes its output on as it comes; resolves to its exit code. Host.exec answers
 * only when the command has ended, too late for one that runs for hours.
 */
export async function streamExec(
  machine: MachineInfo,
  command: string,
  options: { timeoutMs: number; stdout: Writable; stderr: Writable },
): Promise<number> {
  const entry = readEntry(machine.pid);
  if (!entry) {
    throw new RegistryError(
      "REGISTRY_VM_NOT_FOUND",
      `the machine with pid ${machine.pid} has just ended`,
    );
  }
  const { exitCode } = await VsockExec.run(entry.socketPath, command, {
    execTimeoutMs: options.timeoutMs,
    onStdout: (chunk) => void options.stdout.write(chunk),
    onStderr: (chunk) => void options.stderr.write(chunk),
  });
  return exitCode;
}
