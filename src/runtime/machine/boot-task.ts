import { PhaseTimer } from "../log.ts";
import { autoSizeMemoryMib } from "../memory/index.ts";
import { type MountDisk, mountRecord } from "../mounts/index.ts";
import {
  guestLiveMounts,
  liveMountRecord,
  resolveLiveMounts,
  type SharedDirectory,
} from "../mounts/live-mounts.ts";
import { claimName, type NameClaim, type RegistryEntry } from "../registry/index.ts";
import { writeBootSnapshot } from "./boot-log.ts";
import type { BootOptions } from "./boot-options.ts";
import { detachedHandle, ownHandle } from "./handle.ts";
import { hostnameFor } from "./hostname.ts";
import { buildMachinenConfig } from "./machinen-config.ts";
import { type BootPlan, planBoot } from "./plan-boot.ts";
import { forwardRecord } from "./port-forward.ts";
import { READY_MARKER } from "./readiness.ts";
import type { StartedMachine } from "./start-machine.ts";
import type { Machine } from "./vm-handle.ts";

/** One boot, checked, with what all ways of starting it need. */
export interface BootTask {
  plan: BootPlan;
  opts: BootOptions;
  detached: boolean;
  memoryMib?: number;
  liveMounts: SharedDirectory[];
  config?: Record<string, unknown>;
  mountDisk?: MountDisk;
  /** The name is ours from the start: nobody builds a template for one that is taken. */
  claim?: NameClaim;
  phases: PhaseTimer;
}

export function claimFor({ name }: BootOptions): NameClaim | undefined {
  return name === undefined ? undefined : claimName(name);
}

/** The VMM is told of processors by a variable, which the caller may have set himself. */
function withCpus(opts: BootOptions): BootOptions {
  if (opts.cpus === undefined) return opts;
  return { ...opts, vmmEnv: { MACHINEN_CPUS: String(opts.cpus), ...opts.vmmEnv } };
}

/** As the VMM reads it. */
function cpusOf({ vmmEnv }: BootOptions): number {
  return Number(vmmEnv?.MACHINEN_CPUS || process.env.MACHINEN_CPUS || 1);
}

/** Check the options; nothing has been made, nor a name claimed. */
export function planTask(options: BootOptions): BootTask {
  const opts = withCpus(options);
  const phases = new PhaseTimer("boot", opts.onLog);
  const plan = planBoot(opts);
  phases.mark("plan");
  const ownsMemory = opts.vmmEnv?.MACHINEN_MEMORY === undefined;
  const liveMounts = resolveLiveMounts(opts.liveMounts, plan.cwd);
  return {
    plan,
    opts,
    detached: opts.detached ?? false,
    liveMounts,
    memoryMib: ownsMemory ? (opts.memory ?? autoSizeMemoryMib()) : undefined,
    config:
      plan.guest &&
      buildMachinenConfig({
        ...plan.guest,
        guestCwd: opts.guestCwd,
        liveMounts: guestLiveMounts(liveMounts),
        hostname: hostnameFor(opts.name),
        mount: plan.mount?.guest,
      }),
    phases,
  };
}

/** What the registry is to know of the machine. */
export function recordOf(task: BootTask, templateKey?: string): Partial<RegistryEntry> {
  const { plan, opts } = task;
  return {
    imagePath: plan.guest?.image,
    diskPath: plan.diskPath,
    snapshotDisabled: opts.snapshot === false || undefined,
    hostname: hostnameFor(opts.name),
    forkedFrom: opts.forkedFrom,
    memoryCeilingMib: task.memoryMib,
    cpus: cpusOf(opts),
    templateKey,
    ...mountRecord(task.mountDisk),
    ...forwardRecord(opts),
    ...liveMountRecord(task.liveMounts),
  };
}

/** What the caller gets of a machine that started from a template. */
export function handOut(task: BootTask, started: StartedMachine, templateKey: string): Machine {
  const { opts, detached } = task;
  if (!detached) return ownHandle(started, opts.timeoutMs, opts.onLog);
  // A guest that goes on from a template prints no boot messages: the log says why.
  const log = `${READY_MARKER} (started from the template ${templateKey})\n${started.stderr.tail.text()}`;
  writeBootSnapshot(started.entry.bootLogPath!, log);
  return detachedHandle(started, opts.onLog);
}
