// What machinen needs from the system, and how to get it on Debian.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const arm = process.arch === "arm64";

/**
 * `provides`: a program looked for on PATH and in the sbin directories, or an absolute file.
 * Looking for files instead of asking dpkg keeps a set-up with nothing to do fast, and lets a tool
 * that came some other way count.
 */
export const systemPackages = [
  {
    name: arm ? "qemu-system-arm" : "qemu-system-x86",
    provides: [arm ? "qemu-system-aarch64" : "qemu-system-x86_64"],
    reason: "runs the machines",
  },
  { name: "e2fsprogs", provides: ["mke2fs"], reason: "makes the machines' root disks" },
  { name: "squashfs-tools", provides: ["mksquashfs"], reason: "packs mounted directories" },
  { name: "mmdebstrap", provides: ["mmdebstrap"], reason: "builds the Debian base" },
  { name: "busybox-static", provides: ["/bin/busybox"], reason: "the programs of the tiny base" },
  { name: "make", provides: ["make"], reason: "builds vmm/, guest/ and node-pty" },
  { name: "gcc", provides: ["cc"], reason: "builds vmm/ and guest/" },
  { name: "libc6-dev", provides: ["/usr/include/stdio.h"], reason: "builds vmm/ and guest/" },
  {
    name: "libslirp-dev",
    provides: ["/usr/include/slirp/libslirp.h"],
    reason: "gives the machines a network",
  },
  {
    name: "libfuse3-dev",
    provides: ["/usr/include/fuse3/fuse_lowlevel.h"],
    reason: "serves live mounts",
  },
  { name: "g++", provides: ["g++"], reason: "builds node-pty", onlyWhen: "node-pty" },
  { name: "python3", provides: ["python3"], reason: "builds node-pty", onlyWhen: "node-pty" },
  { name: "cpio", provides: ["cpio"], reason: "reads our archives in tests", onlyWhen: "test" },
  { name: "xz-utils", provides: ["xz"], reason: "packs a kernel in tests", onlyWhen: "test" },
  { name: "mount", provides: ["mount"], reason: "makes a small disk in tests", onlyWhen: "test" },
  {
    name: "qemu-utils",
    provides: ["qemu-img"],
    reason: "makes and checks disks in tests and the bench",
    onlyWhen: ["test", "bench"],
  },
  { name: "git", provides: ["git"], reason: "clones and builds in tests", onlyWhen: "test" },
  { name: "vttest", provides: ["vttest"], reason: "shown in a pane by tests", onlyWhen: "test" },
  { name: "vim", provides: ["vim"], reason: "shown in a pane by tests", onlyWhen: "test" },
  { name: "less", provides: ["less"], reason: "shown in a pane by tests", onlyWhen: "test" },
  { name: "nano", provides: ["nano"], reason: "shown in a pane by tests", onlyWhen: "test" },
  { name: "mc", provides: ["mc"], reason: "shown in a pane by tests", onlyWhen: "test" },
  {
    name: "tmux",
    provides: ["tmux"],
    reason: "shown in a pane by tests, and what the bench compares with",
    onlyWhen: ["test", "bench"],
  },
  {
    name: "openssh-client",
    provides: ["ssh", "ssh-keygen"],
    reason: "what the bench compares with",
    onlyWhen: "bench",
  },
  { name: "htop", provides: ["htop"], reason: "shown in a pane by tests", onlyWhen: "test" },
];

const searchPath = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a program or an absolute file is here. */
export function isProvided(thing) {
  if (thing.startsWith("/")) return existsSync(thing);
  return searchPath.some((directory) => directory !== "" && isExecutable(join(directory, thing)));
}

/** The packages still to be installed. `purposes` names the optional ones that are wanted. */
export function missingPackages(purposes) {
  return systemPackages.filter(
    ({ provides, onlyWhen }) =>
      (!onlyWhen || [onlyWhen].flat().some((purpose) => purposes.includes(purpose))) &&
      !provides.every(isProvided),
  );
}
