import { BootError } from "../errors.ts";
import {
  type ImageConfig,
  readImageConfig,
  resolveBaseKernel,
  resolveImage,
} from "../images/index.ts";
import type { MountPlan } from "../mounts/index.ts";
import type { BootOptions } from "./boot-options.ts";
import { checkMounts } from "./check-mounts.ts";
import {
  checkCpus,
  checkEnv,
  checkGuestCwd,
  checkMemory,
  checkPortForwards,
  checkRootDiskSize,
  existingFile,
} from "./validate.ts";
import { chooseVmmBinary } from "./vmm-binary.ts";

/** Everything a boot needs to know, checked; nothing has been made yet. */
export interface BootPlan {
  binary: string;
  cwd: string;
  kernel?: string;
  dtb?: string;
  diskPath?: string;
  mount?: MountPlan;
  /** Absent: no initramfs is packed, the VMM runs with what `vmmEnv` says. */
  guest?: GuestPlan;
}

export interface GuestPlan {
  image: string;
  cmd: string[];
  env: Record<string, string>;
  imageCwd?: string;
  /** `image`: made from the image, of its usual size or another; a path: given; absent: the root stays in RAM. */
  rootDisk?: { kind: "image"; bytes?: number } | { kind: "file"; path: string };
}

/** What unpacks a scratch disk that was given without a command, in images that have it. */
const RESTORE = ["/sbin/machinen-restore"];

/** The tarball an image is. @throws {BootError} BOOT_IMAGE_NOT_FOUND */
export function findImage(image: string, cwd: string): string {
  try {
    return resolveImage(image, cwd);
  } catch (error) {
    throw new BootError("BOOT_IMAGE_NOT_FOUND", (error as Error).message, { cause: error });
  }
}

function findKernel(opts: BootOptions, cwd: string): string | undefined {
  if (opts.kernel !== undefined) {
    return existingFile("BOOT_KERNEL_NOT_FOUND", "kernel", opts.kernel, cwd);
  }
  if (opts.image === undefined || opts.vmmEnv?.MACHINEN_KERNEL !== undefined) return undefined;
  try {
    return resolveBaseKernel();
  } catch (error) {
    throw new BootError("BOOT_KERNEL_NOT_FOUND", (error as Error).message, { cause: error });
  }
}

function planRootDisk(opts: BootOptions, cwd: string): GuestPlan["rootDisk"] {
  if (opts.rootDisk === false) return undefined;
  if (typeof opts.rootDisk === "string") {
    return {
      kind: "file",
      path: existingFile("BOOT_IMAGE_NOT_FOUND", "rootDisk", opts.rootDisk, cwd),
    };
  }
  return { kind: "image", bytes: checkRootDiskSize(opts.rootDiskSizeBytes) };
}

function planGuest(
  opts: BootOptions,
  image: string,
  baked: ImageConfig | null,
  cwd: string,
): GuestPlan {
  const cmd = opts.cmd ?? baked?.cmd ?? (typeof opts.snapshot === "string" ? RESTORE : undefined);
  if (cmd === undefined) {
    throw new BootError(
      "BOOT_CMD_MISSING",
      "image needs a cmd: pass one, bake one into the image, or pass [] for a machine that idles",
    );
  }
  return {
    image,
    cmd,
    env: checkEnv({ ...baked?.env, ...opts.env }),
    imageCwd: baked?.cwd,
    rootDisk: planRootDisk(opts, cwd),
  };
}

/** Check the options, in the order in which the codes of `boot()` are documented. */
export function planBoot(opts: BootOptions): BootPlan {
  const cwd = opts.cwd ?? process.cwd();
  const binary = chooseVmmBinary(opts.binary, cwd);
  const image = opts.image === undefined ? undefined : findImage(opts.image, cwd);
  const diskPath =
    typeof opts.snapshot === "string"
      ? existingFile("BOOT_SNAPSHOT_NOT_FOUND", "snapshot", opts.snapshot, cwd)
      : undefined;
  const kernel = findKernel(opts, cwd);
  const dtb =
    opts.dtb === undefined ? undefined : existingFile("BOOT_DTB_NOT_FOUND", "dtb", opts.dtb, cwd);
  if (opts.cmd !== undefined && image === undefined) {
    throw new BootError("BOOT_CMD_WITHOUT_IMAGE", "cmd needs an image to run in");
  }
  const guest =
    image === undefined ? undefined : planGuest(opts, image, readImageConfig(image), cwd);
  checkGuestCwd(opts.guestCwd);
  const mount = checkMounts(opts, cwd);
  checkPortForwards(opts);
  checkMemory(opts.memory);
  checkCpus(opts.cpus);
  return { binary, cwd, kernel, dtb, diskPath, mount, guest };
}
