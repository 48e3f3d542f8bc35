import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { readEntry, updateEntry } from "../../../src/runtime/registry/index.ts";
import { useScratch } from "../machine/scratch.ts";

/** What `snapshot()` answers. The saver is a script here, and the VMM's control socket is ours. */
const scratch = useScratch();
const saver = join(scratch.path, "machinen-vmm");
writeFileSync(
  saver,
  `#!/bin/sh\necho '{"memoryMib":512}' > "$3/vmm.json"; if [ "$4" = hold ]; then echo saved; read verdict; fi\n`,
);
chmodSync(saver, 0o755);
process.env.MACHINEN_VMM = saver;

let vm: VmHandle;
let server: Server | undefined;

beforeEach(async () => {
  vm = await boot({ binary: "/bin/cat", name: "source" });
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await vm.kill();
});
afterAll(() => scratch.remove());

/** A control socket that shows one more of `consoles` whenever it is asked for the console. */
async function consoleOf(consoles: string[]): Promise<void> {
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (request) => {
      if (String(request) !== "console\n") return socket.end('{"ok":true,"state":"running"}\n');
      const text = consoles.shift()!;
      return socket.end(`{"ok":true,"length":${Buffer.byteLength(text)}}\n${text}`);
    });
  });
  const { controlPath } = readEntry(vm.pid)!;
  await new Promise<void>((done) => server!.listen(controlPath!, done));
}

test("paths are absolute wherever they start, the time is that of the call, and the bundle knows its source", async () => {
  updateEntry(vm.pid, { imagePath: "/images/one.tar" });
  const source = await attach({ pid: vm.pid });
  const outDir = join(scratch.path, "bundle");
  const began = [Date.now(), performance.now()] as const;
  const relativeDir = relative(process.cwd(), outDir);
  const result = await source.snapshot({ outDir: relativeDir, leaveRunning: true });
  expect([result.snapDir, result.imgDir]).toEqual([outDir, join(outDir, "img")]);
  expect(result.elapsedMs).toBeGreaterThan(0);
  expect(result.elapsedMs).toBeLessThanOrEqual(performance.now() - began[1]);
  const meta = JSON.parse(readFileSync(join(outDir, "meta.json"), "utf8"));
  expect(meta).toMatchObject({ sourceName: "source", sourceImage: "/images/one.tar" });
  expect(meta.snappedAt).toBeGreaterThanOrEqual(began[0]);
  expect(meta.snappedAt).toBeLessThanOrEqual(Date.now());
});

test("what the guest prints meanwhile is in the result and in the log, and nothing that it printed before", async () => {
  await consoleOf(["before\n", "before\nmeanwhile\n"]);
  const heard: string[] = [];
  const onLog = (event: LogEvent) => {
    if (event.source === "guest-console") heard.push(String(event.chunk));
  };
  const outDir = join(scratch.path, "printed");
  const { consoleLog } = await vm.snapshot({ outDir, leaveRunning: true, onLog });
  expect(consoleLog).toBe("meanwhile\n");
  expect(heard).toEqual(["meanwhile\n"]);
});
