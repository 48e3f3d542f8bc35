import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../src/runtime/machine/attach.ts";
import { boot } from "../../src/runtime/machine/boot.ts";
import type { Machine } from "../../src/runtime/machine/vm-handle.ts";
import { list } from "../../src/runtime/registry/index.ts";
import { bases } from "../runtime/machine/bases.ts";
import { useScratch } from "../runtime/machine/scratch.ts";

const scratch = useScratch();
let vm: Machine;

afterAll(() => scratch.remove());

/** The command takes the spare that is there; it waits for the next, and does something with it. */
async function withSpare(action: string): Promise<number> {
  const { stdout } = await vm.exec(
    `while :; do for p in /proc/[0-9]*; do
       read -r name <$p/comm && [ "$name" = machinen-spare ] && spare=\${p#/proc/} && ${action} && echo $spare && exit
     done 2>/dev/null; sleep 0.05; done`,
  );
  return Number(stdout);
}

describe.each(bases)("a process that waits to be the next command ($name)", ({ options }) => {
  beforeAll(async () => {
    const env = { LEFT: "right", LONG: "x".repeat(5000) };
    vm = await boot({ ...options, name: "spared", env });
  });
  afterAll(async () => {
    for (const { pid } of list()) await (await attach({ pid })).kill();
  });

  test("becomes it, in a session and a directory of its own, with no more than its descriptors", async () => {
    const links = "for link in cwd root fd/0 fd/1 fd/2; do readlink /proc/1/$link; done";
    const agent = async () => (await vm.exec(links)).stdout;
    const before = await agent();
    expect(before).toMatch(/^\/\n/);
    const spare = await withSpare("true");
    const fd = "ls /proc/self/fd; readlink /proc/self/fd/0";
    const session = "cut -d' ' -f1,6 /proc/$$/stat";
    const result = await vm.execRaw(`${session}; ${fd}; echo error >&2; exit 3`);
    expect(result).toMatchObject({
      stdout: `${spare} ${spare}\n0\n1\n2\n3\n/dev/null\n`,
      stderr: "error\n",
      exitCode: 3,
    });
    expect(await agent()).toBe(before);
  });

  test("cannot be told from a command that was started when it was asked for", async () => {
    const probe = `
      tr '\\0' '\\n' </proc/$$/cmdline; tr '\\0' '\\n' </proc/$$/environ
      grep -vE '^(Tgid|Pid|NSpid|NStgid|NSpgid|NSsid|Vm|Rss|Hugetlb|nonvol|vol|Speculation)' /proc/$$/status
      cat /proc/$$/limits /proc/$$/oom_score_adj; readlink /proc/$$/exe; readlink /proc/$$/cwd; ls -l /proc/$$/fd | wc -l
      umask; echo "$0 $# $PWD $HOME"; head -c 16 /proc/$$/auxv | wc -c`;
    const spare = await withSpare("true");
    const pid = "; echo $$ >&2";
    const became = await vm.execRaw(probe + pid);
    const started = await vm.execRaw(probe + pid);
    expect(became.stderr).toBe(`${spare}\n`);
    expect(Number(started.stderr)).not.toBe(spare);
    expect(became.stdout).toContain("LONG=xxx");
    expect(became.stdout).toBe(started.stdout);
  });

  test("or another is a command of any length around what it can be told", async () => {
    const room = 65_536 - 1024;
    const overhead = 5000 + 1500;
    const used: boolean[] = [];
    for (const length of [
      1,
      4096,
      room - overhead - 2000,
      room - overhead,
      room - 5000,
      room,
      2 * room,
    ]) {
      const spare = await withSpare("true");
      const { stdout } = await vm.exec(`x=${"y".repeat(length)}; echo \${#x} $$`);
      const [seen, pid] = stdout.split(" ").map(Number);
      expect(seen).toBe(length);
      used.push(pid === spare);
    }
    expect(used.slice(0, 3)).toEqual([true, true, true]);
    expect(used.slice(-2)).toEqual([false, false]);
  });

  test("is not used when there is another shell", async () => {
    const shell = (await vm.exec("readlink -f /bin/sh")).stdout.trim();
    await vm.exec(`cp ${shell} /tmp/other && ln -sf /tmp/other /bin/sh; echo $$`);
    const spare = await withSpare(`ln -sf ${shell} /bin/sh`);
    const [pid, program] = (await vm.exec("echo $$; readlink /proc/$$/exe")).stdout.split("\n");
    expect(Number(pid)).not.toBe(spare);
    expect(program).toBe(shell);
  });

  test("does not have its parent's random numbers in a fork", async () => {
    const random = `at=$(od -A n -v -t u8 /proc/$$/auxv | tr -s ' \\n' '\\n\\n' | grep . | while read -r key && read -r value; do
      [ "$key" = 25 ] && echo $value; done)
      echo $$; dd if=/proc/$$/mem bs=1 skip=$at count=16 2>/dev/null | od -A n -t x1`;
    const spare = await withSpare("true");
    const fork = await vm.fork();
    const here = (await vm.exec(random)).stdout.split("\n");
    const there = (await fork.exec(random)).stdout.split("\n");
    await fork.kill();
    expect([Number(here[0]), Number(there[0])]).toEqual([spare, spare]);
    expect(here[1]).toMatch(/^( [0-9a-f]{2}){16}$/);
    expect(there[1]).toMatch(/^( [0-9a-f]{2}){16}$/);
    expect(there[1]).not.toBe(here[1]);
  });

  test("of a fork is the fork's own", async () => {
    const spare = await withSpare("true");
    const fork = await vm.fork();
    const here = vm.exec("echo $$ $(hostname); echo here > /tmp/which; cat /tmp/which");
    const there = fork.exec("echo $$ $(hostname); echo there > /tmp/which; cat /tmp/which");
    expect((await here).stdout).toBe(`${spare} spared\nhere\n`);
    expect((await there).stdout).toBe(`${spare} spared-${fork.pid}\nthere\n`);
    await fork.kill();
  });

  test("is killed by its time limit like any other", async () => {
    await withSpare("true");
    const running = vm.execRaw("(setsid sleep 1234 &); sleep 1234", { execTimeoutMs: 300 });
    await expect(running).rejects.toMatchObject({ code: "EXEC_AGENT_TIMEOUT" });
    await expect
      .poll(async () => (await vm.execRaw("pidof sleep")).stdout, { timeout: 30_000 })
      .toBe("");
  });

  test("is no loss when somebody kills or stops it", async () => {
    for (const signal of ["KILL", "STOP"]) {
      const spare = await withSpare(`kill -${signal} $spare`);
      const { stdout } = await vm.exec("echo $$");
      expect(Number(stdout)).toBeGreaterThan(0);
      expect(Number(stdout)).not.toBe(spare);
    }
  });

  test("of a program that cannot be started says so", async () => {
    await withSpare("true");
    expect(await vm.execRaw("exec nothing-like-this")).toMatchObject({ exitCode: 127 });
  });
});
