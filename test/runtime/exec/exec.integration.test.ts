import { createHash, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { VsockExec } from "../../../src/runtime/exec/index.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { readEntry } from "../../../src/runtime/registry/index.ts";
import { bases } from "../machine/bases.ts";
import { countProcesses } from "../machine/guest-questions.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

/** Starts one process in every way by which one gets away from its parent, then goes on for ever. */
const SPREAD = (seconds: number) => `
  sleep ${seconds} &
  setsid sleep ${seconds} &
  (setsid sh -c 'trap "" HUP TERM INT; setsid sleep ${seconds} & wait' &)
  nohup sleep ${seconds} >/dev/null 2>&1 &
  echo spread
  sleep ${seconds}`;

/** A way to the agent that loses the first connection when the command has run, before anything of it has come back. */
async function losing(
  socket: string,
): Promise<{ path: string; connections: () => number; server: Server }> {
  const path = join(scratch.path, "losing.sock");
  let connections = 0;
  const server = createServer((client) => {
    const isFirst = connections++ === 0;
    const agent = connect(socket);
    client.on("error", () => agent.destroy()).pipe(agent);
    agent.on("error", () => client.destroy());
    if (!isFirst) agent.pipe(client);
    else {
      let said = "";
      agent.on("data", (chunk) => {
        said += chunk;
        if (said.includes("ran\n")) client.destroy();
      });
    }
    client.once("close", () => agent.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, connections: () => connections, server };
}

describe.each(bases)("commands on the $name base", ({ options, name }) => {
  let vm: Machine;
  let socket = "";

  beforeAll(async () => {
    vm = await boot({ ...options, timeoutMs: null });
    socket = readEntry(vm.pid)!.socketPath;
  });
  afterAll(async () => vm?.kill());

  const running = (word: string) => countProcesses(vm, word);
  const gone = (word: string) =>
    vi.waitFor(async () => expect(await running(word)).toBe(0), { timeout: 60_000, interval: 50 });

  test("execTimeoutMs kills everything the command started, daemons in sessions of their own too", async () => {
    const error = await rejection(vm.exec(SPREAD(86_401), { execTimeoutMs: 3000 }));
    expect(error).toMatchObject({ code: "EXEC_AGENT_TIMEOUT", retryable: true });
    await gone("86401");
    expect((await vm.exec("echo still here")).stdout).toBe("still here\n");
  });

  test("what a command that has ended left in the background goes on", async () => {
    await vm.exec("setsid sleep 86402 >/dev/null 2>&1 & sleep 86402 >/dev/null 2>&1 &");
    // A later command that is killed takes only its own with it.
    await rejection(vm.exec("sleep 86403", { execTimeoutMs: 500 }));
    await gone("86403");
    expect(await running("86402")).toBe(2);
    await vm.exec("kill $(pidof sleep)");
    await gone("86402");
  });

  test("control groups of commands are used again and not left behind", async () => {
    const groups = async () =>
      (await vm.exec("ls -d /sys/fs/cgroup/machinen/exec-*")).stdout.trim().split("\n").length;
    await vm.exec("true");
    const before = await groups();
    for (let i = 0; i < 10; i += 1) await vm.exec("true");
    expect(await groups()).toBeLessThanOrEqual(before);
  });

  test("a command whose connection is lost before the answer is not started again", async () => {
    const way = await losing(socket);
    try {
      const error = await rejection(
        VsockExec.run(way.path, "echo x >>/tmp/runs; echo ran; sleep 1"),
      );
      expect(error).toMatchObject({ code: "EXEC_PROTOCOL", retryable: false });
      expect(error.message).toContain("ALREADY_STARTED");
      expect(way.connections()).toBe(2);
      expect((await vm.exec("cat /tmp/runs")).stdout).toBe("x\n");
    } finally {
      way.server.close();
      rmSync(way.path, { force: true });
    }
  });

  test("streamed output is not kept: a GiB of it takes no more memory than the start of it", async () => {
    // Of an odd size, so that it never lies in the frames as it did before.
    const size = 1_048_573;
    // Once as much as shows what is kept; that does not depend on the base.
    const times = name === "tiny" ? 1025 : 32;
    const block = randomBytes(size).toString("hex").slice(0, size);
    await vm.writeFile("/tmp/block", block);
    const hash = createHash("sha256");
    const warm = 64 << 20;
    let seen = 0;
    let rssWhenWarm = 0;
    const most = { rss: 0, arrayBuffers: 0 };
    const result = await vm.exec(`cat $(yes /tmp/block | head -n ${times})`, {
      onStdout: (chunk) => {
        hash.update(chunk);
        const passes = (mark: number) => seen % mark < chunk.length;
        seen += chunk.length;
        if (!passes(8 << 20)) return;
        const { rss, arrayBuffers } = process.memoryUsage();
        if (seen < warm) rssWhenWarm = Math.max(rssWhenWarm, rss);
        most.rss = Math.max(most.rss, rss);
        most.arrayBuffers = Math.max(most.arrayBuffers, arrayBuffers);
      },
      execTimeoutMs: null,
    });
    const expected = createHash("sha256");
    for (let i = 0; i < times; i += 1) expected.update(block);
    expect(seen).toBe(times * size);
    expect(hash.digest("hex")).toBe(expected.digest("hex"));
    // The result has the end of it, of a length that does not depend on the output's.
    expect(result.stdout).toBe(block.repeat(17).slice(-(16 << 20)));
    expect(most.arrayBuffers).toBeLessThan(128 << 20);
    expect(most.rss - rssWhenWarm).toBeLessThan(192 << 20);
  }, 600_000);

  test("every byte value arrives as it was, on standard error too", async () => {
    const bytes: Buffer[] = [];
    await vm.exec(
      'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %o $i)"; i=$((i+1)); done >&2',
      { onStderr: (chunk) => bytes.push(Buffer.from(chunk)) },
    );
    expect([...Buffer.concat(bytes)]).toEqual([...Array(256).keys()]);
  });

  test("a reader that does not read holds the command in the guest back", async () => {
    const stalled: Array<() => void> = [];
    let received = 0;
    const stdout = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        received += chunk.length;
        stalled.push(done);
      },
    });
    const pty = vm.execPty(
      "stty raw -echo; i=0; while [ $i -lt 4000 ]; do printf '%01023d\\n' $i; echo $i >/tmp/progress; i=$((i+1)); done",
      { cols: 80, rows: 24, stdin: new PassThrough(), stdout },
    );
    const progress = async () => Number((await vm.execRaw("cat /tmp/progress")).stdout);
    await vi.waitFor(() => expect(received).toBeGreaterThan(0), { timeout: 60_000 });
    // It stops: what it has printed beyond what was taken is bounded by the windows on the way.
    let last = -1;
    await vi.waitFor(
      async () => {
        const now = await progress();
        const before = last;
        last = now;
        expect(now).toBe(before);
      },
      { timeout: 60_000, interval: 1000 },
    );
    expect(last).toBeLessThan(3999);
    const pump = setInterval(() => stalled.splice(0).forEach((done) => void done()), 1);
    try {
      expect((await pty.result).exitCode).toBe(0);
    } finally {
      clearInterval(pump);
    }
    expect(await progress()).toBe(3999);
    expect(received).toBe(4000 * 1024);
  });

  test("a listener that takes its time holds the command in the guest back, and loses nothing", async () => {
    const times = 64;
    const block = randomBytes(1 << 19).toString("hex");
    await vm.writeFile("/tmp/block", block);
    const progress = async () => Number((await vm.execRaw("cat /tmp/blocks")).stdout);
    let [received, busy, most] = [0, 0, 0];
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const hash = createHash("sha256");
    const run = vm.exec(
      `i=0; while [ $i -lt ${times} ]; do cat /tmp/block; i=$((i+1)); echo $i >/tmp/blocks; done`,
      {
        onStdout: async (chunk) => {
          busy += 1;
          most = Math.max(most, busy);
          received += chunk.length;
          hash.update(chunk);
          await gate;
          busy -= 1;
        },
        execTimeoutMs: null,
      },
    );
    await vi.waitFor(() => expect(received).toBeGreaterThan(0), { timeout: 60_000 });
    let last = -1;
    await vi.waitFor(
      async () => {
        const before = last;
        last = await progress();
        expect(last).toBe(before);
      },
      { timeout: 60_000, interval: 1000 },
    );
    // What is between the command and its listener is what the windows on the way let through.
    expect(last).toBeLessThan(16);
    release();
    await run;
    expect([received, most]).toEqual([times * block.length, 1]);
    const expected = createHash("sha256");
    for (let i = 0; i < times; i += 1) expected.update(block);
    expect(hash.digest("hex")).toBe(expected.digest("hex"));
  });

  test("cancel() hangs the terminal's process group up", async () => {
    const stdout = new PassThrough();
    let seen = "";
    stdout.on("data", (chunk: Buffer) => {
      seen += chunk;
    });
    const pty = vm.execPty(
      "trap 'echo hung up >/tmp/hup; exit 0' HUP; sleep 86404 & echo ready; while :; do wait; sleep 0.1; done",
      { cols: 80, rows: 24, stdin: new PassThrough(), stdout },
    );
    await vi.waitFor(() => expect(seen).toContain("ready"), { timeout: 60_000 });
    pty.cancel();
    await expect(pty.result).rejects.toMatchObject({ code: "EXEC_PROTOCOL" });
    await vi.waitFor(
      async () => expect((await vm.execRaw("cat /tmp/hup")).stdout).toBe("hung up\n"),
      { timeout: 60_000, interval: 50 },
    );
    await gone("86404");
  });
});
