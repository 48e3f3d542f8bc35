import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../src/runtime/machine/attach.ts";
import { boot } from "../../src/runtime/machine/boot.ts";
import type { Machine } from "../../src/runtime/machine/vm-handle.ts";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { list } from "../../src/runtime/registry/index.ts";
import { bases, onlyBase } from "../runtime/machine/bases.ts";
import { countProcesses } from "../runtime/machine/guest-questions.ts";
import { useScratch } from "../runtime/machine/scratch.ts";
import { until } from "../vmm/machine.ts";

const scratch = useScratch();
const programs = join(packageRoot(), "test/guest/programs");

afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  scratch.remove();
});

/** Finds the processes that wait: `warm` has the machine's environment already, `cold` has none. */
const FIND = `
  warm= cold=
  for p in /proc/[0-9]*; do
    read -r name <$p/comm && [ "$name" = machinen-spare ] && grep -q "^TracerPid:.0$" $p/status || continue
    if [ -z "$(tr -d '\\0' <$p/environ)" ]; then cold=\${p#/proc/}
    elif tr '\\0' '\\n' <$p/environ | grep -q "^LEFT="; then warm=\${p#/proc/}; fi
  done 2>/dev/null`;

interface Spares {
  warm: number;
  cold: number;
}

/** Waits until both are there, and does something with them. */
async function withSpares(vm: Machine, action = "true"): Promise<Spares> {
  const { stdout } = await vm.exec(
    `while :; do ${FIND}
       [ "$warm" ] && [ "$cold" ] && ${action} && echo $warm $cold && exit
       sleep 0.05
     done`,
  );
  const [warm, cold] = stdout.split(" ").map(Number) as [number, number];
  return { warm, cold };
}

/** What makes the next command run in the process of this kind: a stopped one is not used. */
const kinds = [
  { kind: "warm", action: "true" },
  { kind: "cold", action: "kill -STOP $warm" },
] as const;
const NEITHER = "kill -STOP $warm $cold";

describe.each(bases)("on the $name base, a process that waits to be a command", (base) => {
  let vm: Machine;
  const env = { LEFT: "right", LONG: "x".repeat(5000) };

  beforeAll(async () => {
    vm = await boot({ ...base.options, name: `spared-${base.name}`, env });
  });
  afterAll(() => vm.kill());

  test.each(kinds)(
    "becomes it when it is $kind, in a session and a directory of its own, with its descriptors only",
    async ({ kind, action }) => {
      const agent = async () =>
        (await vm.exec("for link in cwd root fd/0 fd/1 fd/2; do readlink /proc/1/$link; done"))
          .stdout;
      const before = await agent();
      expect(before).toMatch(/^\/\n/);
      const { [kind]: spare } = await withSpares(vm, action);
      const session = "cut -d' ' -f1,6 /proc/$$/stat";
      const fd = "ls /proc/self/fd; readlink /proc/self/fd/0";
      const result = await vm.execRaw(`${session}; ${fd}; echo error >&2; exit 3`);
      expect(result).toMatchObject({
        stdout: `${spare} ${spare}\n0\n1\n2\n3\n/dev/null\n`,
        stderr: "error\n",
        exitCode: 3,
      });
      expect(await agent()).toBe(before);
    },
  );

  test("cannot be told from a command that was started when it was asked for", async () => {
    const probe = `
      tr '\\0' '\\n' </proc/$$/cmdline; tr '\\0' '\\n' </proc/$$/environ
      grep -vE '^(State|Tgid|Pid|NSpid|NStgid|NSpgid|NSsid|Vm|Rss|Hugetlb|nonvol|vol|Speculation)' /proc/$$/status
      grep -vE ' /memfd:machinen-spare|\\[stack\\]' /proc/$$/maps | cut -d' ' -f1-2,6-
      cat /proc/$$/limits /proc/$$/oom_score_adj /proc/$$/personality /proc/$$/coredump_filter /proc/$$/timerslack_ns
      cut -d' ' -f4,7,8,18-20 /proc/$$/stat; readlink /proc/$$/exe; readlink /proc/$$/cwd; (cd /proc/$$/fd; echo *)
      umask; echo "$0 $# $PWD $HOME $- $PPID"; head -c 16 /proc/$$/auxv | wc -c; trap; alias; set | grep -v '^_='
      ulimit -a; getopts a x -a; echo $x$OPTIND; hostname; (exit 4); echo $?; set -- a b; shift; echo "$@"`;
    const ran: Record<string, string> = {};
    for (const { kind, action } of [...kinds, { kind: "neither", action: NEITHER }] as const) {
      const spares = await withSpares(vm, action);
      const { stdout, stderr } = await vm.execRaw(`${probe}; echo $$ >&2`);
      if (kind === "neither") expect(Object.values(spares)).not.toContain(Number(stderr));
      else expect(stderr).toBe(`${spares[kind]}\n`);
      ran[kind] = stdout;
    }
    expect(ran.neither).toContain("LONG=xxx");
    expect(ran.warm).toBe(ran.neither);
    expect(ran.cold).toBe(ran.neither);
  });

  test("or another is a command of any length around what it can be told", async () => {
    const room = 65_536 - 1024;
    const overhead = 5000 + 1500;
    const around = `x=; echo \${#x} $$`.length;
    const used: string[] = [];
    for (const length of [
      1,
      4095 - around,
      4096 - around,
      room - overhead - 2000,
      room - overhead,
      room - 5000,
      room,
      2 * room,
    ]) {
      const { warm, cold } = await withSpares(vm);
      const { stdout } = await vm.exec(`x=${"y".repeat(length)}; echo \${#x} $$`);
      const [seen, pid] = stdout.split(" ").map(Number);
      expect(seen).toBe(length);
      used.push(pid === warm ? "warm" : pid === cold ? "cold" : "neither");
    }
    expect(used.slice(0, 4)).toEqual(["warm", "warm", "cold", "cold"]);
    expect(used.slice(-2)).toEqual(["neither", "neither"]);
  });

  test("has the environment of the machine it is in", async () => {
    const { cold } = await withSpares(vm);
    const fork = await vm.fork({ env: { LEFT: "wrong" } });
    const { stdout } = await fork.exec("echo $$ $LEFT");
    expect(stdout).toBe(`${cold} wrong\n`);
    const { warm } = await withSpares(fork);
    expect((await fork.exec("echo $$ $LEFT")).stdout).toBe(`${warm} wrong\n`);
    await fork.kill();
  });

  test.each(kinds)("of a fork is the fork's own when it is $kind", async ({ kind, action }) => {
    const { [kind]: spare } = await withSpares(vm, action);
    const fork = await vm.fork();
    const run = (machine: Machine, word: string) =>
      machine.exec(`echo $$ $(hostname); echo ${word} > /tmp/which; cat /tmp/which`);
    const [here, there] = await Promise.all([run(vm, "here"), run(fork, "there")]);
    expect(here.stdout).toBe(`${spare} spared-${base.name}\nhere\n`);
    expect(there.stdout).toBe(`${spare} spared-${base.name}-${fork.pid}\nthere\n`);
    await fork.kill();
  });

  test("does not have its parent's random numbers in a fork when it is cold", async () => {
    const random = `at=$(od -A n -v -t u8 /proc/$$/auxv | tr -s ' \\n' '\\n\\n' | grep . | while read -r key && read -r value; do
      [ "$key" = 25 ] && echo $value; done)
      echo $$; dd if=/proc/$$/mem bs=1 skip=$at count=16 2>/dev/null | od -A n -t x1`;
    const { cold } = await withSpares(vm, "kill -STOP $warm");
    const fork = await vm.fork();
    const here = (await vm.exec(random)).stdout.split("\n");
    const there = (await fork.exec(random)).stdout.split("\n");
    await fork.kill();
    expect([Number(here[0]), Number(there[0])]).toEqual([cold, cold]);
    expect(here[1]).toMatch(/^( [0-9a-f]{2}){16}$/);
    expect(there[1]).toMatch(/^( [0-9a-f]{2}){16}$/);
    expect(there[1]).not.toBe(here[1]);
  });

  test("is killed by its time limit like any other", async () => {
    await withSpares(vm);
    const running = vm.execRaw("(setsid sleep 1234 &); sleep 1234", { execTimeoutMs: 300 });
    await expect(running).rejects.toMatchObject({ code: "EXEC_AGENT_TIMEOUT" });
    await until(
      "the end of all of it",
      async () => (await countProcesses(vm, "sleep.1234")) === 0,
      30_000,
    );
  });

  test.each(["KILL", "STOP", "TERM"])("is no loss when somebody sends it SIG%s", async (signal) => {
    const { warm, cold } = await withSpares(vm, `kill -${signal} $warm $cold`);
    const { stdout } = await vm.exec("echo $$");
    expect(Number(stdout)).toBeGreaterThan(0);
    expect([warm, cold]).not.toContain(Number(stdout));
  });

  test("is no loss when somebody kills it while it is told what to run", async () => {
    const freeze = "echo 1 > /sys/fs/cgroup$(cut -d: -f3 /proc/$warm/cgroup)/cgroup.freeze";
    const { warm } = await withSpares(vm, freeze);
    const told = vm.exec("echo it ran; echo once >> /tmp/ran; cat /tmp/ran; echo $$");
    await vm.exec(`sleep 0.5; kill -9 ${warm}`);
    const { stdout } = await told;
    expect(stdout).toMatch(/^it ran\nonce\n\d+\n$/);
    expect(Number(stdout.split("\n")[2])).not.toBe(warm);
  });

  test("is not used when somebody has changed the rights of the shell", async () => {
    const shell = "$(readlink -f /bin/sh)";
    const spares = await withSpares(vm, `chmod a+w ${shell}`);
    const { stdout } = await vm.exec(`echo $$; chmod go-w ${shell}`);
    expect(Object.values(spares)).not.toContain(Number(stdout));
  });

  test.each(kinds)("of a program that cannot be started says so when it is $kind", async (how) => {
    await withSpares(vm, how.action);
    expect(await vm.execRaw("exec nothing-like-this")).toMatchObject({ exitCode: 127 });
  });

  test("is not used when there is another shell", async () => {
    await withSpares(vm);
    const shell = "$(readlink -f /bin/sh)";
    await vm.exec(`cp ${shell} /tmp/other; cp -P /bin/sh /tmp/sh; ln -sf /tmp/other /bin/sh`);
    const spares = await withSpares(vm, "cp -fP /tmp/sh /bin/sh");
    const { stdout } = await vm.exec("echo $$; readlink /proc/$$/exe");
    expect(Object.values(spares)).not.toContain(Number(stdout.split("\n")[0]));
    expect(stdout).not.toContain("/tmp/other");
  });
});

describe.each(onlyBase("debian"))(
  "a shell with shared libraries that waits to run a command",
  ({ options }) => {
    let vm: Machine;

    beforeAll(async () => {
      vm = await boot({ ...options, name: "libraries", env: { LEFT: "right" } });
    });
    afterAll(() => vm.kill());

    test.each([
      {
        change: "a library is another",
        action: "touch $(ldd /bin/sh | awk '/libc.so/ { print $3 }')",
      },
      { change: "the list of libraries is another", action: "ldconfig" },
      { change: "there are others to be loaded first", action: "touch /etc/ld.so.preload" },
    ])("loads them anew when $change", async ({ action }) => {
      const { cold } = await withSpares(vm, action);
      expect((await vm.exec("echo $$")).stdout).toBe(`${cold}\n`);
    });
  },
);

describe.each(bases)(
  "on the $name base a shell that looks at what it cannot know",
  ({ name, options }) => {
    const tools = join(scratch.path, `tools-${name}`);

    test.each(["command", "time"])("at its %s, is started when that is known", async (what) => {
      mkdirSync(tools, { recursive: true });
      const eager = join(tools, `${what}-shell`);
      const flags = ["-std=gnu17", "-O1", "-static", "-Wall", "-Wextra", "-Werror"];
      const define = what === "time" ? ["-DLOOKS_AT_TIME"] : [];
      execFileSync("cc", [...flags, ...define, "-o", eager, join(programs, "eager-shell.c")]);
      const vm = await boot({ ...options, env: { LEFT: "right" } });
      await vm.push(tools, "/tmp/tools");
      await vm.exec(`mv /bin/sh /bin/sh.real; mv /tmp/tools/${what}-shell /bin/sh`);
      // Each command takes what waits, and what cannot be made is tried three times.
      for (let command = 0; command < 5; command++) {
        const wait = `until ${FIND}; [ "$cold" ]; do sleep 0.05; done; echo "warm: $warm"`;
        expect((await vm.exec(wait)).stdout).toBe("warm: \n");
      }
      expect((await vm.execRaw("dmesg | grep -i segfault")).stdout).toBe("");
      await vm.kill();
    });
  },
);
