import { PassThrough } from "node:stream";
import { expect } from "vitest";
import type { VmHandle } from "../../../src/runtime/machine/vm-handle.ts";

/** Type a line into the guest's session `main` and wait until its screen shows `until`. */
export async function typeLine(vm: VmHandle, line: string, until: string): Promise<void> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const pty = vm.execPty("exec /bin/sh -l", { cols: 80, rows: 24, stdin, stdout, session: "main" });
  pty.result.catch(() => {});
  stdin.write(`${line}\n`);
  let seen = "";
  for await (const chunk of stdout) {
    seen += chunk;
    if (seen.includes(until)) break;
  }
  pty.cancel();
  expect(seen).toContain(until);
}
