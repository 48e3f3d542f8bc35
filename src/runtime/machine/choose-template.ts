import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type MountDisk, upperBytesOf } from "../mounts/index.ts";
import {
  type BuildRequest,
  readInputs,
  type TemplateRequest,
  TUNING,
  templateKey,
} from "../templates/index.ts";
import type { BootOptions } from "./boot-options.ts";
import { packGuest } from "./pack-guest.ts";
import type { BootPlan } from "./plan-boot.ts";
import type { RunDir } from "./run-dir.ts";
import type { MachineVariables } from "./vmm-environment.ts";

const SHAPING: readonly string[] = TUNING;

/** Whether the caller takes matters into their own hands that a template settles. Pure. */
export function isPlainBoot(opts: BootOptions, env: NodeJS.ProcessEnv): boolean {
  const ownVariables = Object.keys(opts.vmmEnv ?? {}).some(
    (name) => name.startsWith("MACHINEN_") && !SHAPING.includes(name),
  );
  return (
    opts.template !== false &&
    env.MACHINEN_TEMPLATES !== "0" &&
    opts.image !== undefined &&
    opts.binary === undefined &&
    (opts.args ?? []).length === 0 &&
    opts.dtb === undefined &&
    // A disk of the caller's own may be anything, and change at any time.
    typeof opts.rootDisk !== "string" &&
    opts._restoreMountDisk === undefined &&
    !ownVariables
  );
}

/** A template holds nobody's file: its scratch disk is as large and empty. */
function scratchPlaceholder(bytes: number, runDir: RunDir): MachineVariables {
  const path = join(runDir.path, "scratch-disk");
  writeFileSync(path, "", { mode: 0o600 });
  truncateSync(path, bytes);
  return { MACHINEN_SCRATCH_DISK: path };
}

/** A template holds nobody's directory: the disks are there and nothing is on the lower one. */
function placeholders({ upperPath }: MountDisk, runDir: RunDir): MachineVariables {
  const lower = join(runDir.path, "mount-lower");
  writeFileSync(lower, Buffer.alloc(4096), { mode: 0o600 });
  return { MACHINEN_MOUNT_LOWER: lower, MACHINEN_MOUNT_UPPER: upperPath };
}

const SECTOR_BYTES = 512;
const sectorsOf = (path: string) => Math.ceil(statSync(path).size / SECTOR_BYTES) * SECTOR_BYTES;

/** How to make the template this boot can start from; undefined when it must boot cold. */
export function chooseTemplate(
  plan: BootPlan,
  opts: BootOptions,
  memoryMib: number | undefined,
  mountDisk?: MountDisk,
): BuildRequest | undefined {
  const { guest, kernel, binary } = plan;
  if (!guest || kernel === undefined || memoryMib === undefined) return undefined;
  if (!isPlainBoot(opts, process.env)) return undefined;
  const scratchBytes = plan.diskPath === undefined ? undefined : sectorsOf(plan.diskPath);
  const request: TemplateRequest = {
    kernel,
    image: guest.image,
    root: guest.rootDisk ? "disk" : "ram",
    diskBytes: guest.rootDisk?.kind === "image" ? guest.rootDisk.bytes : undefined,
    mountBytes: upperBytesOf(mountDisk),
    scratchBytes,
    memoryMib,
    vmm: binary,
    env: { ...process.env, ...opts.vmmEnv },
  };
  const inputs = readInputs(request);
  if (inputs === undefined) return undefined;
  return {
    key: templateKey(inputs),
    binary,
    vmmEnv: opts.vmmEnv,
    pack: async (runDir) => ({
      MACHINEN_KERNEL: kernel,
      MACHINEN_MEMORY: memoryMib.toString(),
      ...(await packGuest(guest, { wait: true, ...(mountDisk && { mount: true }) }, runDir)),
      ...(mountDisk && placeholders(mountDisk, runDir)),
      ...(scratchBytes && scratchPlaceholder(scratchBytes, runDir)),
    }),
  };
}
