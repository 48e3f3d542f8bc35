import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { scratchDirectory, vmmBinary } from "./machine.ts";

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

const kernel = join(scratch.path, "kernel");
writeFileSync(kernel, "not a kernel");
let count = 0;

function run(env: Record<string, string>, args: string[] = []) {
  const runDir = join(scratch.path, `run-${count++}`);
  mkdirSync(runDir, { mode: 0o700 });
  const result = spawnSync(vmmBinary, args, {
    env: { PATH: process.env.PATH, MACHINEN_ACCEL: "tcg", MACHINEN_RUN_DIR: runDir, ...env },
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status: result.status, stderr: result.stderr, leftRunDir: existsSync(runDir) };
}

describe("what machinen-vmm refuses, in one line, leaving nothing", () => {
  it.each([
    ["no kernel", {}, 2, /^CONFIG_INVALID: MACHINEN_KERNEL: is not set\n$/],
    [
      "a missing kernel",
      { MACHINEN_KERNEL: "/nowhere" },
      2,
      /^CONFIG_INVALID: MACHINEN_KERNEL: \/nowhere: No such file/,
    ],
    [
      "a directory as initrd",
      { MACHINEN_KERNEL: kernel, MACHINEN_INITRD: "/tmp" },
      2,
      /^CONFIG_INVALID: MACHINEN_INITRD/,
    ],
    [
      "a bad memory size",
      { MACHINEN_KERNEL: kernel, MACHINEN_MEMORY: "lots" },
      2,
      /^CONFIG_INVALID: MACHINEN_MEMORY: 'lots'/,
    ],
    [
      "a socket in no directory",
      { MACHINEN_KERNEL: kernel, MACHINEN_CONTROL: "/nowhere/c" },
      2,
      /^CONFIG_INVALID: cannot listen on/,
    ],
    [
      "a missing disk",
      { MACHINEN_KERNEL: kernel, MACHINEN_ROOTDISK: "/nowhere" },
      2,
      /^CONFIG_INVALID: MACHINEN_ROOTDISK/,
    ],
    [
      "a missing QEMU",
      { MACHINEN_KERNEL: kernel, MACHINEN_QEMU: "/nowhere" },
      3,
      /^qemu: cannot start '\/nowhere': No such file[^\n]*\nQEMU_LOST: [^\n]*\n$/,
    ],
    [
      "a QEMU that fails",
      { MACHINEN_KERNEL: kernel, MACHINEN_QEMU: "false" },
      3,
      /^QEMU_LOST: [^\n]*\n$/,
    ],
    ["a file that is no kernel", { MACHINEN_KERNEL: kernel }, 3, /^qemu: .*\nQEMU_LOST: [^\n]*\n$/],
    [
      "a fork of nothing",
      { MACHINEN_INCOMING: "fork:/nowhere" },
      4,
      /^SOURCE_LOST: \/nowhere: No such file[^\n]*\n$/,
    ],
    [
      "a bundle that is not there",
      { MACHINEN_INCOMING: "bundle:/nowhere" },
      4,
      /^BUNDLE_IO: \/nowhere: No such file[^\n]*\n$/,
    ],
    [
      "an empty bundle",
      { MACHINEN_INCOMING: `bundle:${scratch.path}` },
      4,
      /^BUNDLE_IO: vmm.json: No such file[^\n]*\n$/,
    ],
  ])("%s", (_what, env, status, text) => {
    const result = run(env);
    expect(result.stderr).toMatch(text);
    expect(result.status).toBe(status);
    expect(result.leftRunDir).toBe(false);
  });

  it("a run directory that others can enter, and leaves it alone", () => {
    const open = join(scratch.path, "open");
    mkdirSync(open);
    chmodSync(open, 0o755);
    writeFileSync(join(open, "file"), "");
    const result = run({ MACHINEN_KERNEL: kernel, MACHINEN_RUN_DIR: open });
    expect(result.stderr).toMatch(
      /^CONFIG_INVALID: MACHINEN_RUN_DIR: .* must belong to this user and have mode 0700\n$/,
    );
    expect(result.status).toBe(2);
    expect(existsSync(join(open, "file"))).toBe(true);
  });

  it("a socket that somebody else listens on, and leaves it alone", async () => {
    const path = join(scratch.path, "taken");
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    const result = run({ MACHINEN_KERNEL: kernel, MACHINEN_VSOCK: `in:1:${path}` });
    expect(result.stderr).toMatch(/^CONFIG_INVALID: cannot listen on .*Address already in use\n$/);
    expect(result.status).toBe(2);
    expect(existsSync(path)).toBe(true);
    server.close();
  });

  it("an unknown mode", () => {
    const result = run({}, ["jump"]);
    expect(result.stderr).toMatch(/^usage:/);
    expect(result.status).toBe(2);
  });
});

describe("probe", () => {
  it("says in one line of JSON what the host is good for, and a forced accelerator obeys it", () => {
    const verdict = JSON.parse(execFileSync(vmmBinary, ["probe"], { encoding: "utf8" }));
    expect(["tcg", "kvm"]).toContain(verdict.accel);
    expect(verdict.reason).not.toBe("");
    expect(verdict.tscKhz).toBeGreaterThan(100_000);
    const forced = run({ MACHINEN_KERNEL: kernel, MACHINEN_ACCEL: "kvm" });
    if (verdict.accel === "tcg") {
      expect(forced).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/^ACCEL_UNUSABLE: MACHINEN_ACCEL=kvm: [^\n]+\n$/),
      });
    } else {
      expect(forced.status).toBe(3);
    }
  });
});

describe("die-with-parent", () => {
  it("becomes the program when the parent is right", () => {
    const script = `exec 2>&1; "${vmmBinary}" die-with-parent $$ /bin/echo became; "${vmmBinary}" die-with-parent 1 /bin/echo not`;
    const result = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    expect(result.stdout).toBe("became\nPARENT_GONE: process 1 is not the parent\n");
  });

  it("ends the program when the parent is killed", async () => {
    const script = `"${vmmBinary}" die-with-parent $$ sleep 100 & echo $!; sleep 0.3; kill -9 $$`;
    const child = Number(
      spawnSync("sh", ["-c", script], {
        encoding: "utf8",
        timeout: 10_000,
        stdio: ["ignore", "pipe", "ignore"],
      }).stdout,
    );
    expect(child).toBeGreaterThan(1);
    const { isAlive, until } = await import("./machine.ts");
    await until("the program to end", () => !isAlive(child));
  });
});
