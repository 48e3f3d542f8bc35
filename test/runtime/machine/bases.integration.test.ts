import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { streamExec } from "../../../src/cli/stream-exec.ts";
import { listSessions, VsockSecrets, VsockWinsize } from "../../../src/runtime/exec/index.ts";
import type { MachineInfo } from "../../../src/runtime/host/host.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { NO_OUTSIDE_ADDRESS, useOutsideAddress } from "../../vmm/outside-address.ts";
import { useServers } from "../../vmm/ports.ts";
import { bases } from "./bases.ts";
import { countProcesses, expectRightTime } from "./guest-questions.ts";
import { rejection, useScratch } from "./scratch.ts";

/*
 * What every base must do, in one place. Life, forks, exec, files, mounts, live mounts and forwards are
 * proved on each in tests of their own (`describe.each(bases)`), details that do not depend on the base elsewhere.
 */
const outside = useOutsideAddress();
const listen = useServers();
const scratch = useScratch();
const patience = { timeout: 60_000, interval: 50 };

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

/** A terminal whose window changes: the program in it is told, and finds the new size. */
async function resize(vm: Machine, shell: string): Promise<void> {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const command = `trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done`;
  const pty = vm.execPty(`exec ${shell} -c "${command}"`, { cols: 80, rows: 24, stdin, stdout });
  let seen = "";
  stdout.on("data", (chunk: Buffer) => {
    seen += chunk;
  });
  await vi.waitFor(() => expect(seen).toContain("ready"), patience);
  pty.resize(132, 43);
  expect(await pty.result).toEqual({ exitCode: 0 });
  expect(seen).toContain("43 132");
}

describe.each(bases)("the $name base", ({ name: image, options, shell, root, connectTo }) => {
  let vm: Machine;

  beforeAll(async () => {
    vm = await boot({
      ...options,
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
    for (const word of ["4321", "4322"]) {
      await vi.waitFor(async () => expect(await countProcesses(vm, word)).toBe(0), patience);
    }
  });

  test("gives commands what is typed into them, of any bytes and length, and its end", async () => {
    const bytes = randomBytes(700_000);
    const stdin = new PassThrough();
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const ended = streamExec({ pid: vm.pid } as MachineInfo, "cat; echo end >&2; exit 5", {
      stdin,
      stdout,
      stderr,
    });
    stdin.end(bytes);
    const chunks: Buffer[] = [];
    stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    expect(await ended).toBe(5);
    expect(String(stderr.read())).toBe("end\n");
    stdout.end();
    await finished(stdout);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  test("has secrets in every command, in its forks, and on no disk", async () => {
    const directory = dirname(readEntry(vm.pid)!.socketPath);
    await VsockSecrets.send(join(directory, "secrets.sock"), { TOKEN: `of=${image} 'x'` });
    const told = `of=${image} 'x'\n`;
    expect((await vm.exec('echo "$TOKEN"')).stdout).toBe(told);
    expect((await vm.exec("grep -l '[T]OKEN' /proc/[0-9]*/cmdline || true")).stdout).toBe("");
    const kept = "grep -rl '^TOKEN=' /run/machinen | while read f; do df $f | tail -n 1; done";
    expect((await vm.exec(kept)).stdout).toMatch(/^tmpfs .*\n$/);
    const fork = await vm.fork();
    expect((await fork.exec('echo "$TOKEN"')).stdout).toBe(told);
    await fork.kill();
  });

  test("knows the size of its console", async () => {
    const directory = dirname(readEntry(vm.pid)!.socketPath);
    const console = await VsockWinsize.connect(join(directory, "winsize.sock"));
    const size = "stty size < /dev/$(cat /sys/class/tty/console/active)";
    for (const [cols, rows] of [
      [97, 41],
      [120, 30],
    ] as const) {
      console.send(cols, rows);
      await vi.waitFor(
        async () => expect((await vm.exec(size)).stdout).toBe(`${rows} ${cols}\n`),
        patience,
      );
    }
    console.close();
  });

  test("tells what it costs the host", async () => {
    const { ceilingMib, hostRssBytes } = await vm.memoryStats();
    expect(ceilingMib).toBe(options.memory);
    expect(hostRssBytes).toBeGreaterThan(30 << 20);
    expect(hostRssBytes).toBeLessThan((options.memory! + 512) * 2 ** 20);
  });

  test.skipIf(outside === undefined)(
    `reaches the world, and so does its fork${outside ? "" : NO_OUTSIDE_ADDRESS}`,
    async () => {
      const port = await listen(outside!, (socket) => socket.pipe(socket));
      const ask = `head -c 200000 /dev/urandom > /tmp/sent; ${connectTo(outside!, port)} < /tmp/sent > /tmp/back; cmp /tmp/sent /tmp/back && echo same`;
      expect((await vm.exec(ask)).stdout).toBe("same\n");
      const fork = await vm.fork();
      expect((await fork.exec(ask)).stdout).toBe("same\n");
      await fork.kill();
    },
  );

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
    await resize(vm, shell);
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
      (await machine.exec("head -c 16 /dev/urandom | od -An -tx1")).stdout;
    const answers = await Promise.all([vm, ...forks].map(ask));
    expect(new Set(answers).size).toBe(3);
    for (const machine of [vm, ...forks]) await expectRightTime(machine);
    await Promise.all(forks.map((fork) => fork.kill()));
  });

  test("powers off when its command ends, with the disk written", async () => {
    const job = await boot({
      ...options,
      cmd: [shell, "-c", "echo ran as $USER_NAME in $PWD; echo x > /root/x"],
      env: { USER_NAME: "somebody" },
      guestCwd: "/usr",
    });
    expect(await job.wait()).toEqual({ code: 0, signal: null });
    expect(await job.errorOutput()).toContain("ran as somebody in /usr");
  });
});
