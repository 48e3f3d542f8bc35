import type { HostBootOptions } from "../../../src/runtime/host/host.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";

export interface Base {
  name: "tiny" | "debian";
  /** How tests boot it: from its template, and idle. */
  options: BootOptions;
  /** The same for a `Host`. */
  hostOptions: HostBootOptions;
  /** Its interactive shell. */
  shell: string;
  /** The type of its root file system. */
  root: string;
  /** A disk its files just fit on, no multiple of a page. */
  smallDiskBytes: number;
  /** Whether its root keeps users' extended attributes and file capabilities, and it has programs that set these. */
  keepsAttributes: boolean;
  /** What is large and not needed, for tests that copy the whole root: paths in it, with wildcards. */
  large: readonly string[];
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

/** A static busybox in RAM, and a Debian with bash, dash, coreutils and shared libraries on a disk. */
const all: readonly Base[] = [
  {
    name: "tiny",
    options: { image: "tiny", rootDisk: false, memory: 256, cmd: [] },
    hostOptions: { image: "tiny", memoryMib: 256 },
    shell: "/bin/sh",
    root: "rootfs",
    smallDiskBytes: 24_000_000,
    keepsAttributes: false,
    large: [],
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
    smallDiskBytes: 150_000_000,
    keepsAttributes: true,
    large: [
      "usr/share/*",
      "usr/lib/*/perl*",
      "usr/lib/*/gconv",
      "usr/lib/apt",
      "var/lib/apt",
      "var/lib/dpkg",
    ],
    echoServer: (port) => `perl -MSocket -e '${PERL_ECHO}' ${port}`,
    connectTo: (host, port) => `perl -MSocket -e '${PERL_CONNECT}' ${host} ${port}`,
  },
];

/** A command for a guest that removes what is large. */
export function slim({ large }: Base): string {
  return ["rm -rf --", ...large.map((path) => `/${path}`)].join(" ");
}

/** Those whose names stand in a list with commas, each once; without a list all of them. */
export function chooseBases(list: string | undefined): readonly Base[] {
  const names = (list ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  for (const name of names) {
    if (all.some((base) => base.name === name)) continue;
    const known = all.map((base) => base.name).join(", ");
    throw new Error(`MACHINEN_TEST_BASES names the base "${name}"; there are: ${known}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

const chosen = process.env.MACHINEN_TEST_BASES;

/**
 * What every behaviour is proved on. Tests use them by `describe.each(bases)`, so that neither is left out.
 * `MACHINEN_TEST_BASES` has the whole suite run on some of them only.
 */
export const bases = chooseBases(chosen);

/** For a subject that the guest has no part in: this base, unless `MACHINEN_TEST_BASES` names others. */
export function oneBase(name: Base["name"]): readonly Base[] {
  return chosen ? bases : chooseBases(name);
}

/** For what only one base has: that one, or none where `MACHINEN_TEST_BASES` leaves it out. */
export function onlyBase(name: Base["name"]): readonly Base[] {
  return bases.filter((base) => base.name === name);
}
