import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { until } from "../vmm/machine.ts";

const launcher = fileURLToPath(new URL("../../bin/machinen", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "machinen-cli-test-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

/** In mmdebstrap's place: it says where it runs, and cleans up when it is told to end. */
function standIn(directory: string, told: string): void {
  const program = join(directory, "mmdebstrap");
  writeFileSync(
    program,
    `#!/bin/sh
trap 'echo cleaned up >> ${told}; exit 1' TERM
readlink /proc/self/ns/mnt > ${told}
echo begun >> ${told}
while :; do sleep 0.05; done
`,
  );
  chmodSync(program, 0o755);
}

const minutes = 120_000;

test.each([
  ["SIGTERM", 143],
  ["SIGKILL", null],
] as const)(
  "an installation ended by %s ends what makes the base, and leaves it time to clean up",
  async (signal, code) => {
    // Each attempt of a test has its own: one that failed may go on for a while.
    const own = mkdtempSync(join(scratch, "own-"));
    const told = join(own, "told");
    standIn(own, told);
    const env = {
      ...process.env,
      PATH: `${own}:${process.env.PATH}`,
      MACHINEN_ASSETS_DIR: join(own, "assets"),
    };
    const child = spawn(launcher, ["install", "debian"], { env, stdio: "ignore" });
    children.push(child);
    const ended = once(child, "exit");
    const says = (words: string) => existsSync(told) && readFileSync(told, "utf8").includes(words);
    await until("it to begin", () => says("begun\n"), minutes);
    child.kill(signal);
    await until("it to clean up", () => says("cleaned up\n"), minutes);
    expect((await ended)[0]).toBe(code);
    if (process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0) {
      // What it mounts as root nobody else gets to see.
      expect(readFileSync(told, "utf8")).not.toContain(readlinkSync("/proc/self/ns/mnt"));
    }
  },
  3 * minutes,
);
