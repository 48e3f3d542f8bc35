import { expect } from "vitest";
import type { HostBootOptions } from "../../../src/runtime/host/host.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import type { Machine, VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { until } from "../../vmm/machine.ts";

export interface Base {
  name: string;
  /** How tests boot it: from its template, and idle. */
  options: BootOptions;
  /** The same for a `Host`. */
  hostOptions: HostBootOptions;
  /** Its interactive shell. */
  shell: string;
  /** The type of its root file system. */
  root: string;
  /** Whether its root keeps users' extended attributes and file capabilities, and it has programs that set these. */
  keepsAttributes: boolean;
  /** A command that removes what is large and not needed, for tests that copy the whole root. */
  slim: string;
  /** A command that answers on a TCP port with what it gets, for ever. */
  echoServer(port: number): string;
  /** A command that sends its standard input to a TCP port and prints the answer. */
  connectTo(host: string, port: number): string;
}

const PERL_ECHO =
  "socket(S,PF_INET,SOCK_STREAM,0);setsockopt(S,SOL_SOCKET,SO_REUSEADDR,1);" +
  "bind(S,sockaddr_in($ARGV[0],INADDR_ANY))&&listen(S,32)or die;" +
  "while(accept(C,S)){fork||do{syswrite(C,$b)while sysread(C,$b,65536);exit};close(C)}";

/** A connection whose input end is told to the other side, which `cat >/dev/tcp/...` never does. */
const PERL_CONNECT =
  "socket(S,PF_INET,SOCK_STREAM,0);connect(S,sockaddr_in($ARGV[1],inet_aton($ARGV[0])))or die $!;" +
  "fork||do{syswrite(S,$b)while sysread(STDIN,$b,65536);shutdown(S,1);exit};" +
  "syswrite(STDOUT,$b)while sysread(S,$b,65536);";

/**
 * What every behaviour is proved on: a static busybox in RAM, and a Debian with bash, dash, coreutils and shared
 * libraries on a disk. Tests use them by `describe.each(bases)`, so that neither is left out.
 */
export const bases: readonly Base[] = [
  {
    name: "tiny",
    options: { image: "tiny", rootDisk: false, memory: 256, cmd: [] },
    hostOptions: { image: "tiny", memoryMib: 256 },
    shell: "/bin/sh",
    root: "rootfs",
    keepsAttributes: false,
    slim: ":",
    // The number of l's is busybox's listen backlog.
    echoServer: (port) => `nc -${"l".repeat(32)} -p ${port} -e cat`,
    connectTo: (host, port) => `nc ${host} ${port}`,
  },
  {
    name: "debian",
    options: { image: "debian", rootDisk: true, memory: 512, cmd: [] },
    hostOptions: { image: "debian", memoryMib: 512 },
    shell: "/bin/bash",
    root: "ext4",
    keepsAttributes: true,
    slim: "rm -r /usr/share/* /usr/lib/*/perl* /usr/lib/*/gconv /usr/lib/apt /var/lib/apt /var/lib/dpkg",
    echoServer: (port) => `perl -MSocket -e '${PERL_ECHO}' ${port}`,
    connectTo: (host, port) => `perl -MSocket -e '${PERL_CONNECT}' ${host} ${port}`,
  },
];

/** How many lines of the arguments of the guest's processes hold this word. */
export async function countProcesses(vm: Machine, word: string): Promise<number> {
  // The brackets keep the pattern from finding the command that looks for it. Not ps: each base has another.
  const pattern = `[${word[0]}]${word.slice(1)}`;
  const { stdout } = await vm.execRaw(
    `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c -- '${pattern}'`,
  );
  return Number(stdout);
}

/** A clock is set to what it was when that was sent, and what is asked takes its time: neither is the clock's fault. */
const CLOCK_SLACK_S = 5;

/** The wall clock of the guest shows a time between the question and the answer. */
export async function expectRightTime(vm: VmHandle): Promise<void> {
  const asked = Date.now() / 1000;
  const { stdout } = await vm.exec("date +%s");
  const answered = Date.now() / 1000;
  expect(Number(stdout)).toBeGreaterThan(asked - CLOCK_SLACK_S);
  expect(Number(stdout)).toBeLessThan(answered + CLOCK_SLACK_S);
}

/** Start the base's echo service in the guest and wait until it listens. */
export async function startEcho(vm: Machine, base: Base, port: number): Promise<void> {
  await vm.exec(`${base.echoServer(port)} >/dev/null 2>&1 </dev/null &`);
  const line = `:${port.toString(16).toUpperCase().padStart(4, "0")} .* 0A `;
  await until(
    `port ${port} in the guest`,
    async () => /\d/.test((await vm.execRaw(`grep '${line}' /proc/net/tcp /proc/net/tcp6`)).stdout),
    60_000,
  );
}
