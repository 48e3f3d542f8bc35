import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import { collectGarbage } from "../../../src/runtime/machine/gc.ts";
import { readEntry } from "../../../src/runtime/registry/index.ts";
import { runInOtherProcess } from "./other-process.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

const place = (name: string) => join(scratch.path, name);
/** What stands in for the VMM listens on the sockets of its environment, as that would. */
const listens = `
  for (const part of process.env.MACHINEN_VSOCK.split(","))
    require("node:net").createServer().listen(part.split(":")[2]);
  setInterval(() => {}, 1000);`;
const options = (vsock: string): BootOptions => ({
  binary: process.execPath,
  args: ["-e", listens],
  cwd: scratch.path,
  vmmEnv: { MACHINEN_VSOCK: vsock },
});

async function appear(...names: string[]): Promise<void> {
  while (!names.every((name) => existsSync(place(name)))) await sleep(10);
}

test("sockets of the caller's own choice go with the machine, however it ends", async () => {
  const vm = await boot(options(`in:9:${place("absolute")},in:10:relative`));
  await appear("absolute", "relative");
  expect(readEntry(vm.pid)?.ownSockets).toEqual([place("absolute"), place("relative")]);
  await vm.kill();
  expect(existsSync(place("absolute")) || existsSync(place("relative"))).toBe(false);

  const creator = await runInOtherProcess(
    `import { boot } from "./machine/boot.ts";
     const vm = await boot({ ...${JSON.stringify(options(`in:9:${place("left")}`))}, pdeathsig: false });
     console.log(vm.pid);`,
  );
  const pid = Number(creator.firstLine);
  await appear("left");
  const ended = once(creator.process, "exit");
  creator.process.kill("SIGKILL");
  await ended;
  process.kill(pid, "SIGKILL");
  const left = () => collectGarbage().flatMap(({ removedPaths }) => removedPaths);
  for (let removed = left(); !removed.includes(place("left")); removed = left()) await sleep(10);
  expect(existsSync(place("left"))).toBe(false);
  expect(readEntry(pid)).toBeUndefined();
});

test("what somebody else has there meanwhile stays", async () => {
  const server = createServer().listen(place("shared"));
  await once(server, "listening");
  writeFileSync(place("file"), "the caller's");
  const vsock = `in:9:${place("shared")},in:10:${place("file")}`;
  const vm = await boot({ binary: "/bin/cat", vmmEnv: { MACHINEN_VSOCK: vsock } });
  await vm.kill();
  expect(existsSync(place("shared")) && existsSync(place("file"))).toBe(true);
  server.close();
});
