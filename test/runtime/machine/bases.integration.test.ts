import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listSessions } from "../../../src/runtime/exec/index.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { rejection, useScratch } from "./scratch.ts";

/*
 * What every base must do, in one place: a static busybox in RAM, and a Debian with bash, dash, coreutils and
 * shared libraries on a disk. Details that do not depend on the base are tested elsewhere.
 */
const bases = [
  { image: "tiny", rootDisk: false, memory: 256, shell: "/bin/sh", root: "rootfs" },
  { image: "debian", rootDisk: true, memory: 512, shell: "/bin/bash", root: "ext4" },
] as const;

const scratch = useScratch();

afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  scratch.remove();
});

/** What to type, and what the screen must show before the next step. */
type Step = [typed: string, until: RegExp];

/** Type on a PTY, step by step; a session goes on afterwards. */
async function type(vm: Machine, shell: string, steps: Step[], session?: string): Promise<void> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const pty = vm.execPty(shell, { cols: 91, rows: 33, stdin, stdout, session });
  pty.result.catch(() => {});
  const left = [...steps];
  let seen = "";
  stdin.write(left[0]![0]);
  for await (const chunk of stdout) {
    seen += chunk;
    if (!left[0]![1].test(seen)) continue;
    left.shift();
    seen = "";
    if (left.length === 0) break;
    stdin.write(left[0]![0]);
  }
  pty.cancel();
  expect(left).toEqual([]);
}

describe.each(bases)("the $image base", ({ image, rootDisk, memory, shell, root }) => {
  let vm: Machine;

  beforeAll(async () => {
    vm = await boot({
      image,
      rootDisk,
      memory,
      cmd: [],
      name: `base-${image}`,
      env: { GREETING: "hello there" },
    });
  });

  afterAll(async () => vm?.kill());

  test("is up as itself, with its name, its root and its mounts", async () => {
    const { stdout } = await vm.exec(
      `hostname; id -u; awk '$2 == "/" { print $3 }' /proc/mounts | tail -n 1; ls -d /proc/1 /sys/class /dev/null /tmp /run`,
    );
    expect(stdout.split("\n").slice(0, 3)).toEqual([`base-${image}`, "0", root]);
    expect(stdout).toMatch(/\/dev\/null\n\/proc\/1\n\/run\n\/sys\/class\n\/tmp\n$/);
  });

  test("runs commands: exit codes, streams, environment, binary output, input of any text", async () => {
    expect(await vm.execRaw("echo out; echo err >&2; exit 7")).toEqual({
      exitCode: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect((await vm.execRaw("kill -TERM $$")).exitCode).toBe(143);
    expect((await vm.execRaw("/no/such/program")).exitCode).toBe(127);
    expect((await rejection(vm.exec("exit 3"))).code).toBe("EXEC_NONZERO_EXIT");
    expect((await vm.exec('echo "$GREETING"; echo "ünï \\"$HOME\\""')).stdout).toBe(
      'hello there\nünï "/root"\n',
    );
    const chunks: Buffer[] = [];
    await vm.exec("head -c 300000 /dev/zero | tr '\\0' '\\377'", {
      onStdout: (chunk) => chunks.push(chunk),
    });
    expect(Buffer.concat(chunks).equals(Buffer.alloc(300_000, 0xff))).toBe(true);
  });

  test("ends a command that takes too long, with all it started", async () => {
    const error = await rejection(
      vm.exec("sleep 4321 & (sleep 4322 & wait) & wait", { execTimeoutMs: 500 }),
    );
    expect(error.code).toBe("EXEC_AGENT_TIMEOUT");
    const gone = "while ps -ef 2>/dev/null | grep -q '[s]leep 432'; do sleep 0.05; done";
    await vm.exec(gone, { execTimeoutMs: 60_000 });
  });

  test("writes files", async () => {
    const content = Buffer.from(Array.from({ length: 150_000 }, (_, index) => index & 0xff));
    await vm.writeFile("/srv/a b/file", content, { mode: 0o640 });
    await vm.writeFile("/srv/a b/file", "tail", { append: true });
    const { stdout } = await vm.exec(
      "cd '/srv/a b' && wc -c < file && stat -c %a file && tail -c 4 file",
    );
    expect(stdout).toMatch(/^ *150004\n640\ntail$/);
  });

  test("has PTYs with a size, job control and signals", async () => {
    await type(vm, shell, [["stty size; tty\n", /33 91/]]);
    await type(vm, shell, [
      // Said by the program itself: until it has the terminal, an interrupt is the shell's. And a shell forgets
      // what is typed ahead of one: as at a keyboard, the prompt comes first.
      [`sh -c 'echo be""gun; exec sleep 1000'\n`, /begun/],
      ["\u0003", /\^C[\s\S]*# /],
      ["echo after=$((6*7))\n", /after=42/],
    ]);
  });

  test("keeps a session beyond its client, and forks and snapshots with it", async () => {
    await type(vm, shell, [["cd /tmp; X=carried; echo set=$X\n", /set=carried/]], "work");
    expect((await listSessions(readEntry(vm.pid)!.socketPath)).map(({ name }) => name)).toContain(
      "work",
    );
    await vm.exec("echo before > /root/file; sync");

    const fork = await vm.fork({ name: `fork-${image}` });
    await type(fork, shell, [["echo $X in $PWD\n", /carried in \/tmp/]], "work");
    expect((await fork.exec("hostname; cat /root/file")).stdout).toBe(`fork-${image}\nbefore\n`);
    await fork.exec("echo fork > /root/file; sync");
    expect((await vm.exec("cat /root/file")).stdout).toBe("before\n");

    const { snapDir } = await fork.snapshot({ outDir: join(scratch.path, image) });
    const restored = await restore({ snapDir, name: `restored-${image}` });
    expect((await restored.exec("hostname; cat /root/file")).stdout).toBe(
      `restored-${image}\nfork\n`,
    );
    await type(restored, shell, [["echo $X in $PWD\n", /carried in \/tmp/]], "work");
    await restored.kill();
  });

  test("has its own random numbers and the right time in every fork", async () => {
    const forks = await vm.forkMany(2);
    const ask = async (machine: Machine) =>
      (await machine.exec("head -c 16 /dev/urandom | od -An -tx1; date +%s")).stdout.split("\n");
    const answers = await Promise.all([vm, ...forks].map(ask));
    expect(new Set(answers.map(([random]) => random)).size).toBe(3);
    for (const [, seconds] of answers)
      expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(10);
    await Promise.all(forks.map((fork) => fork.kill()));
  });

  test("powers off when its command ends, with the disk written", async () => {
    const job = await boot({
      image,
      rootDisk,
      memory,
      cmd: [shell, "-c", "echo ran as $USER_NAME in $PWD; echo x > /root/x"],
      env: { USER_NAME: "somebody" },
      guestCwd: "/usr",
    });
    expect(await job.wait()).toEqual({ code: 0, signal: null });
    expect(await job.errorOutput()).toContain("ran as somebody in /usr");
  });
});
