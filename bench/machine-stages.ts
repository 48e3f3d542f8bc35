import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { boot, type Machine, prepareBoot } from "../src/runtime/index.ts";
import type { BootOptions } from "../src/runtime/machine/boot-options.ts";

/** The machines everything is measured on; a root in RAM keeps the disk out of it. */
const tiny: BootOptions = {
  image: "tiny",
  rootDisk: false,
  memory: 512,
  cmd: [],
  timeoutMs: null,
};

export const bootTiny = (opts: BootOptions = {}): Promise<Machine> => boot({ ...tiny, ...opts });

export async function prepareTiny(): Promise<void> {
  if (!(await prepareBoot(tiny))) throw new Error("there is no template to prepare a boot from");
}

export async function kill(machines: Iterable<Machine | undefined>): Promise<void> {
  await Promise.all([...machines].map((machine) => machine?.kill()));
}

/** Have the guest write to so many MiB of its memory. */
export async function touch(vm: Machine, mib: number): Promise<void> {
  await vm.exec(
    `mount -t tmpfs -o size=100% none /mnt && head -c ${mib * 2 ** 20} /dev/zero > /mnt/touched`,
  );
}

export const busyGuest = (vm: Machine): Promise<unknown> =>
  vm.exec("setsid sh -c 'while :; do :; done' >/dev/null 2>&1 &");

export const writeToDisk = (vm: Machine): Promise<unknown> =>
  vm.exec(
    "setsid sh -c 'while :; do dd if=/dev/zero of=/root/load bs=64k count=16 conv=fsync; done' >/dev/null 2>&1 &",
  );

function qemuOf(vmm: number): number {
  const children = readFileSync(`/proc/${vmm}/task/${vmm}/children`, "utf8").trim().split(" ");
  return Number(children[0]);
}

/**
 * MiB of guest memory a machine has touched, and the part of it nobody shares. What was touched before it
 * started, by the machine its template or parent was, counts: it is all in the file its memory is a copy of.
 */
export function guestMemory(vm: Machine): { touched: number; own: number } {
  const descriptors = `/proc/${vm.pid}/fd`;
  const memory = readdirSync(descriptors)
    .map((fd) => join(descriptors, fd))
    .find((fd) => readlinkSync(fd).startsWith("/memfd:machinen-ram"));
  if (memory === undefined) throw new Error("the VMM holds no guest memory");
  let own = 0;
  let isGuest = false;
  for (const line of readFileSync(`/proc/${qemuOf(vm.pid)}/smaps`, "utf8").split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isGuest = line.includes("/memfd:machinen-ram");
    const kib = isGuest && /^Private_(?:Clean|Dirty): +(\d+) kB/.exec(line);
    if (kib) own += Number(kib[1]) / 1024;
  }
  return { touched: (statSync(memory).blocks * 512) / 2 ** 20, own };
}

/** Milliseconds of one step, as often as the VMM noted it in its trace. */
export function traced(file: string, step: string): number[] {
  return [...readFileSync(file, "utf8").matchAll(new RegExp(`^${step} (\\d+)$`, "gm"))].map(
    (match) => Number(match[1]) / 1000,
  );
}
