import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { readProcess } from "../../../src/runtime/registry/process.ts";
import { useScratchRegistry } from "./scratch.ts";

const scratch = useScratchRegistry();

/** Its first thread ends at once, the other one when standard input does. */
const PROGRAM = `
#include <pthread.h>
#include <unistd.h>
static void *wait_for_input(void *unused) {
    char byte;
    return read(0, &byte, 1) < 0 ? unused : NULL;
}
int main(void) {
    pthread_t other;
    pthread_create(&other, NULL, wait_for_input, NULL);
    pthread_exit(NULL);
}
`;

const state = (pid: number) =>
  /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

it("a process runs until the last of its threads has ended", async () => {
  const program = join(scratch.dir, "threads");
  writeFileSync(`${program}.c`, PROGRAM);
  execFileSync("cc", ["-pthread", "-o", program, `${program}.c`]);
  const child = spawn(program, { stdio: ["pipe", "ignore", "inherit"] });
  while (state(child.pid!) !== "Z") await sleep(5);
  expect(readProcess(child.pid!)).toBeDefined();
  const ended = once(child, "exit");
  child.stdin!.end();
  await ended;
  expect(readProcess(child.pid!)).toBeUndefined();
});
