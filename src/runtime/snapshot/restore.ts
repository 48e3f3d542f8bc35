import { join, resolve } from "node:path";
import { BootError } from "../errors.ts";
import { findImage } from "../machine/plan-boot.ts";
import type { Machine } from "../machine/vm-handle.ts";
import { chooseVmmBinary } from "../machine/vmm-binary.ts";
import { mountRecord, mountVariables } from "../mounts/index.ts";
import { overrideLiveMounts, resolveLiveMounts } from "../mounts/live-mounts.ts";
import { openBundle } from "./bundle.ts";
import { checkResumeOptions } from "./check-resume-options.ts";
import { planMemory } from "./memory-limit.ts";
import type { RestoreOptions } from "./options.ts";
import { resumeMachine } from "./resume.ts";

/** `restore()`, for a fork that goes through a bundle too. */
export async function restoreBundle(
  opts: RestoreOptions,
  lineage: { parentPid?: number; parentName?: string },
): Promise<Machine> {
  const cwd = opts.cwd ?? process.cwd();
  const snapDir = resolve(cwd, opts.snapDir);
  const binary = chooseVmmBinary(opts.binary, cwd);
  const { meta, machine, imgDir } = openBundle(snapDir);
  const mountDisk = meta.mountDisk && {
    guest: meta.mountDisk.guest,
    lowerPath: join(snapDir, meta.mountDisk.lower),
    upperPath: join(snapDir, meta.mountDisk.upper),
  };
  const liveMounts = overrideLiveMounts(meta.liveMounts, opts.liveMounts);
  const mount = checkResumeOptions(opts, liveMounts, cwd, machine);
  const memory = planMemory(opts.memory, machine);
  return resumeMachine({
    incoming: {
      MACHINEN_INCOMING: `bundle:${imgDir}`,
      MACHINEN_LAZY: opts.lazy ? "1" : undefined,
      ...mountVariables(mountDisk),
    },
    lazyFrom: opts.lazy ? imgDir : undefined,
    binary,
    args: opts.args,
    cwd,
    vmmEnv: opts.vmmEnv,
    network: opts,
    liveMounts: resolveLiveMounts(liveMounts, cwd),
    mount,
    memory,
    env: opts.env,
    guestCwd: opts.guestCwd,
    name: opts.name,
    sourceName: meta.sourceName,
    record: {
      ...lineage,
      ...mountRecord(mountDisk),
      imagePath: opts.image === undefined ? meta.sourceImage : findImage(opts.image, cwd),
      ...memory.record,
      cpus: machine.cpus,
      forkedFrom: opts.forkedFrom ?? snapDir,
    },
    detached: opts.detached ?? false,
    pdeathsig: !opts.detached && (opts.pdeathsig ?? true),
    timeoutMs: opts.timeoutMs,
    onLog: opts.onLog,
    failure: (reason) =>
      new BootError("BOOT_SNAPSHOT_NOT_FOUND", `${snapDir} could not be restored: ${reason}`),
  });
}

/**
 * Start a machine from a bundle: it goes on where the source was, with the right time, fresh random
 * numbers and its own name.
 *
 * @throws {BootError} BOOT_VMM_MISSING | BOOT_SNAPSHOT_NOT_FOUND | BOOT_IMAGE_NOT_FOUND |
 * BOOT_KERNEL_NOT_FOUND | BOOT_DTB_NOT_FOUND | BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN |
 * BOOT_MOUNT_INVALID | BOOT_MOUNT_HOST_NOT_FOUND | BOOT_PORT_FORWARD_INVALID |
 * BOOT_PORT_FORWARD_CONFLICT | BOOT_PORT_FORWARD_IN_USE | BOOT_MEMORY_INVALID | BOOT_CWD_INVALID |
 * BOOT_PACK_FAILED
 * @throws {RegistryError} REGISTRY_NAME_IN_USE
 */
export async function restore(opts: RestoreOptions): Promise<Machine> {
  return restoreBundle(opts, {});
}
