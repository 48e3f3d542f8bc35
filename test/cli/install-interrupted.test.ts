import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
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
const told = join(scratch, "told");
const bin = join(scratch, "bin");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

// In mmdebstrap's place: it says where it runs, and cleans up when it is told to end.
mkdirSync(bin);
const program = join(bin, "mmdebstrap");
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

test.each([
  ["SIGTERM", 143],
  ["SIGKILL", null],
] as const)(
  "an installation ended by %s ends what makes the base, and leaves it time to clean up",
  async (signal, code) => {
    rmSync(told, { force: true });
    const env = {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
      MACHINEN_ASSETS_DIR: join(scratch, "assets"),
    };
    const child = spawn(launcher, ["install", "debian"], {
      env,
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    const says = (words: string) => existsSync(told) && readFileSync(told, "utf8").includes(words);
    await until("it to begin", () => says("begun\n"), 20_000);
    child.kill(signal);
    await until("it to clean up", () => says("cleaned up\n"), 20_000);
    expect((await ended)[0]).toBe(code);
    if (process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0) {
      // What it mounts as root nobody else gets to see.
      expect(readFileSync(told, "utf8")).not.toContain(readlinkSync("/proc/self/ns/mnt"));
    }
  },
);
