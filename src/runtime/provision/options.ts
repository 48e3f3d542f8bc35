import type { OnLog } from "../log.ts";
import type { VmHandle } from "../machine/index.ts";

export interface ProvisionOptions {
  /** Rootfs tarball to start from, or the name of an installed base (`tiny`, `debian`). Default: the Debian base. */
  base?: string;
  /**
   * Files and directories of the host to put into the base before `install` runs, in this order, by the rules of
   * `docker cp`: into a directory that is there under their own name, else under the name given, whose parent is made.
   * They belong to root in the image.
   */
  copy?: Array<{ host: string; guest: string }>;
  /** Makes the image: runs commands and writes files in the booted base. */
  install: (vm: VmHandle) => Promise<void>;
  /**
   * Tarball to write, for `boot({ image })`: compressed with gzip unless its name ends with `.tar`. It appears
   * whole, in place of an older one; a build that fails leaves the older one alone.
   */
  out: string;
  /** Command machines of this image run when `boot()` gives none. Default: the base's own. */
  cmd?: string[];
  /** Environment of that command, over the base's own. Not the environment of the build. */
  env?: Record<string, string>;
  /** Absolute directory that command starts in. Default: the base's own. */
  guestCwd?: string;
  /** Program to run as the VMM. Default: `resolveVmmBinary()`. */
  binary?: string;
  /** Where relative paths start. Default: `process.cwd()`. */
  cwd?: string;
  /**
   * How large the image may be, unpacked, in bytes. Default 1 GiB. The guest's disk during the build is at least
   * twice as large.
   */
  scratchDiskSizeBytes?: number;
  /** How long the whole build may take, in milliseconds. Default 10 minutes. `Infinity`: for ever. */
  timeoutMs?: number;
  /** Environment of the VMM process, as of `boot()`. */
  vmmEnv?: Record<string, string>;
  /** Guest kernel. Default: `resolveBaseKernel()`. */
  kernel?: string;
  /** Device tree of the guest. Default: none, QEMU makes its own. */
  dtb?: string;
  /** Memory of the guest during the build, in MiB. Default: as of `boot()`. */
  memory?: number;
  /** Called with the guest's console, the output of every command, and the timing of phases. */
  onLog?: OnLog;
  /** Called with what may keep the build from reaching the network, in words for a user. */
  onWarning?: (message: string) => void;
  /**
   * Give the build what this host needs to reach package archives: proxies, certificates and the settings of apt
   * (see docs/images.md). Nothing of it gets into the image. Default true.
   */
  hostPackages?: boolean;
  /** Ends the build: it rejects with the signal's reason, and nothing of it stays. */
  signal?: AbortSignal;
}

export interface ProvisionResult {
  /** Absolute path of the tarball. */
  imagePath: string;
  /** Its size in bytes. */
  sizeBytes: number;
  /** Milliseconds from the call to the result. */
  elapsedMs: number;
}
