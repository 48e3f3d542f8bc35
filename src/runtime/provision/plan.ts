import { statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { BootError, ErrorCode, ProvisionError } from "../errors.ts";
import {
  type ImageConfig,
  readImageConfig,
  resolveBaseDtb,
  resolveBaseKernel,
  resolveBaseRootfs,
  resolveImage,
} from "../images/index.ts";
import { checkCopies, type FileCopy } from "./copy-files.ts";
import type { ProvisionOptions } from "./options.ts";

const GIB = 1024 * 1024 * 1024;
const DISK_BLOCK_BYTES = 4096;
const DEFAULT_TIMEOUT_MS = 10 * 60_000;

/** One build, checked; nothing has been made yet. */
export interface Plan {
  base: string;
  kernel: string;
  dtb?: string;
  out: string;
  config: ImageConfig | null;
  copies: FileCopy[];
  /** Most bytes of the image, unpacked. */
  limitBytes: number;
  /** Size of the guest's disk; undefined: as of any machine of this base. */
  diskBytes?: number;
  timeoutMs: number;
}

function findBase(base: string | undefined, cwd: string): string {
  return base === "tiny" || base === "debian"
    ? resolveImage(base, cwd)
    : resolveBaseRootfs(base, cwd);
}

/** What the image is to say of itself: the base's words, and the caller's over them. */
function bakedConfig(opts: ProvisionOptions, base: ImageConfig | null): ImageConfig | null {
  const env = { ...base?.env, ...opts.env };
  const config: ImageConfig = {
    cmd: opts.cmd ?? base?.cmd,
    env: Object.keys(env).length > 0 ? env : undefined,
    cwd: opts.guestCwd ?? base?.cwd,
  };
  const said = Object.entries(config).filter(([, value]) => value !== undefined);
  return said.length > 0 ? Object.fromEntries(said) : null;
}

function refuse(message: string): never {
  throw new ProvisionError(ErrorCode.PROVISION_INSTALL_HOOK_FAILED, message);
}

/** Room for an image of the size allowed beside what its installation needs. */
function diskBytes(limitBytes: number): number | undefined {
  if (limitBytes <= GIB) return undefined;
  return Math.ceil((2 * limitBytes) / DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES;
}

/** Absolute, with what its end says: `dir/.` means what a directory holds. */
function inside(cwd: string, path: string): string {
  return `${resolve(cwd, path)}${/\/\.?$/.exec(path)?.[0] ?? ""}`;
}

/** Check the options, in the order in which the codes of `provision()` are documented. */
export function planProvision(opts: ProvisionOptions): Plan {
  const cwd = opts.cwd ?? process.cwd();
  const base = findBase(opts.base, cwd);
  const kernel = resolveBaseKernel(opts.kernel, cwd);
  const dtb = opts.dtb === undefined ? undefined : resolveBaseDtb(opts.dtb, cwd);
  const out = resolve(cwd, opts.out);
  if (statSync(out, { throwIfNoEntry: false })?.isDirectory()) {
    refuse(`the image cannot be written to ${out}: that is a directory`);
  }
  if (opts.guestCwd !== undefined && !isAbsolute(opts.guestCwd)) {
    throw new BootError(ErrorCode.BOOT_CWD_INVALID, "guestCwd must be an absolute path");
  }
  const limitBytes = opts.scratchDiskSizeBytes ?? GIB;
  if (!(Number.isSafeInteger(limitBytes) && limitBytes > 0)) {
    refuse("scratchDiskSizeBytes must be a positive number of bytes");
  }
  const copies = (opts.copy ?? []).map(({ host, guest }) => ({ host: inside(cwd, host), guest }));
  checkCopies(copies);
  const config = bakedConfig(opts, readImageConfig(base));
  return {
    base,
    kernel,
    dtb,
    out,
    config,
    copies,
    limitBytes,
    diskBytes: diskBytes(limitBytes),
    timeoutMs: opts.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
}
