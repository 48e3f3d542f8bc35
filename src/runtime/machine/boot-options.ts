import type { OnLog } from "../log.ts";

/** One host TCP port led to a port in the guest. `hostAddr`, an IPv4 address, defaults to 127.0.0.1. */
export interface PortForward {
  hostPort: number;
  guestPort: number;
  hostAddr?: string;
}

/**
 * A host directory copied into the guest as a writable overlay below `/mnt/`: packed once for each content and
 * kept in the cache. Everything in it belongs to the guest's root. What the guest writes stays in the machine
 * and goes with its snapshots and forks; the directory itself is only ever read.
 */
export interface Mount {
  host: string;
  guest: string;
}

/** A host directory shared live with the guest below `/mnt/`. `mode` defaults to `"rw"`. */
export interface LiveMount {
  host: string;
  guest: string;
  mode?: "ro" | "rw";
}

export interface BootOptions {
  /** Rootfs tarball, or the name of an installed base (`tiny`, `debian`). Goes together with `cmd`. */
  image?: string;
  /**
   * Command the guest runs with the console as its terminal; the machine powers off when it ends.
   * Defaults to the one baked into the image. An empty array makes the machine idle until it is stopped.
   */
  cmd?: string[];
  /** Environment of the guest's command, over the image's own. */
  env?: Record<string, string>;
  /**
   * Absolute working directory of the guest's commands, before the image's own. While there is none by that name they
   * start in their home directory, and the console says so at the boot.
   */
  guestCwd?: string;
  /**
   * A file of your own as a disk of the guest: raw, of any size from 512 bytes on, yours to read and write. What the
   * guest writes is in the file at once and stays when the machine has ended, however it does. One machine has it at
   * a time (`BOOT_SNAPSHOT_IN_USE`). It comes after the root disk, so it is `/dev/vdb`, or `/dev/vda` with
   * `rootDisk: false`, and always `/dev/disk/by-id/virtio-scratch`; nothing of it is mounted. With an `image` and no
   * command the guest runs `/sbin/machinen-restore`. Forks and snapshots copy what the file holds and write to it no more.
   *
   * `false`: this machine cannot be snapshotted or forked (`SNAPSHOT_NO_DISK`). Default: no such disk; a snapshot needs none.
   */
  snapshot?: string | false;
  /**
   * What the guest's root lives on. Default with an `image`: an ext4 disk made from it, cached, of which the
   * guest sees a private writable overlay. A string names an ext4 image of your own: it is used in the
   * same way and never written to. `false` keeps the root in the guest's RAM.
   */
  rootDisk?: boolean | string;
  /**
   * Size of the root disk, in bytes, rounded up to whole blocks of 4096. Default: two and a half times what `image`
   * holds, at least 2 GiB; what is not used takes no room. Ignored unless the root disk is made from `image`.
   */
  rootDiskSizeBytes?: number;
  /** Unique name among live machines; `/` makes path-shaped names. */
  name?: string;
  /** The bundle this machine comes from; set by `restore()`, shown in lists. */
  forkedFrom?: string;
  /** A host directory copied into the guest; writes stay in the guest. */
  mount?: Mount;
  /** How much the guest can write over the mount, in bytes: a positive multiple of 4096. Default 4 GiB, taken as it is used. */
  mountDiskUpperSizeBytes?: number;
  /** @internal The mount of a bundle. */
  _restoreMountDisk?: { guest: string; lowerPath: string; upperPath: string };
  /** Host directories shared live with the guest. */
  liveMounts?: LiveMount[];
  /** Host ports led into the guest, from before it runs until it ends. */
  portForward?: PortForward[];
  /**
   * `false`: the machine reaches nothing and nothing reaches it but through this library. Default true, or
   * what `MACHINEN_NETWORK` in the environment says (`0`: false); a fork or restore has a network where its
   * source has one.
   */
  network?: boolean;
  /**
   * Start from a template: the state of a machine of the same image, kernel and shape that has booted and
   * not yet run anything, made by the first such boot and kept in the cache. The command, environment,
   * directory, name, clock and random numbers are this machine's own. Default true where it is possible:
   * with an `image`, no `binary`, `args`, `dtb` or root disk of your own, and nothing in `vmmEnv` that takes
   * the machine over. A machine that starts so has printed no boot messages on its console.
   */
  template?: boolean;
  /** Program to run as the VMM. Default: `resolveVmmBinary()`. */
  binary?: string;
  /** Working directory of the VMM; relative paths of this call start there. */
  cwd?: string;
  /** Arguments for the VMM. */
  args?: string[];
  /** Guest kernel. Default with an `image`: the installed one. */
  kernel?: string;
  /** Device tree of the guest; unused on x86. */
  dtb?: string;
  /** Guest RAM in MiB. Default: half of the host's, between 512 and 16384. */
  memory?: number;
  /** Virtual processors, 1 to 64. Default 1. Forks and restores have as many as their source: another number is refused. */
  cpus?: number;
  /** Whether the VMM dies with this process. Default true; false when `detached`. */
  pdeathsig?: boolean;
  /** How long `wait()` waits before it kills the machine and rejects with `BOOT_TIMEOUT`. Default 60 s; `null`: for ever. */
  timeoutMs?: number | null;
  /** Environment of the VMM process, over what `boot()` sets. */
  vmmEnv?: Record<string, string>;
  /** Called with all console and exec output, and with the timing of phases. */
  onLog?: OnLog;
  /** Let the machine outlive this process. Resolves when the guest is ready; with a `binary` of your own, at its first byte. */
  detached?: boolean;
}

export interface AttachOptions {
  /** Pid of the VMM. Exactly one of `pid` and `name` is required. */
  pid?: number;
  name?: string;
  /** Called with the output of commands run through the returned handle. */
  onLog?: OnLog;
}
