import { ErrorCode, ProvisionError } from "../errors.ts";
import type { OnLog, PhaseTimer } from "../log.ts";
import { boot, type VmHandle } from "../machine/index.ts";
import { readEntry } from "../registry/index.ts";
import { archiveGuest } from "./archive-guest.ts";
import { copyFiles } from "./copy-files.ts";
import { unlessAborted } from "./deadline.ts";
import { BUILD_ENV, hostPackages, shareHostPackages } from "./host-packages.ts";
import type { ProvisionOptions } from "./options.ts";
import type { Plan } from "./plan.ts";
import { tarFileMember } from "./tar-file-member.ts";

/** A boot that is given up hears of it when its VMM is gone. */
const GIVE_UP_MS = 10_000;

/** What watches a build. */
export interface BuildWatch {
  onLog: OnLog;
  warn(message: string): void;
  phases: PhaseTimer;
  signal: AbortSignal;
}

/** Run the caller's hook; what it throws becomes the cause of our error. */
async function install(opts: ProvisionOptions, vm: VmHandle, warnings: string[]): Promise<void> {
  try {
    await opts.install(vm);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const hints = warnings.map((warning) => `\n${warning}`).join("");
    throw new ProvisionError(
      ErrorCode.PROVISION_INSTALL_HOOK_FAILED,
      `the install hook failed: ${reason}${hints}`,
      { cause },
    );
  }
}

function execSocketOf(vm: VmHandle): string {
  const entry = readEntry(vm.pid);
  if (entry) return entry.socketPath;
  throw new ProvisionError(
    ErrorCode.PROVISION_INSTALL_HOOK_FAILED,
    "the machine ended before its files could be archived: the install hook must leave it running",
  );
}

/** A boot nobody waits for any more: what comes of it is ended. */
async function abandon(booting: Promise<VmHandle>): Promise<void> {
  const ended = booting.then(
    (vm) => vm.kill(),
    () => {},
  );
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((settle) => {
    timer = setTimeout(settle, GIVE_UP_MS);
  });
  await Promise.race([ended, patience]);
  clearTimeout(timer);
}

/** Boot, install, archive into `stagedPath`. However it ends, the machine is gone then. */
export async function build(
  opts: ProvisionOptions,
  task: Plan,
  stagedPath: string,
  watch: BuildWatch,
): Promise<void> {
  const { onLog, warn, phases, signal } = watch;
  const packages = opts.hostPackages === false ? undefined : await hostPackages();
  const warnings = packages?.problems ?? [];
  for (const warning of warnings) warn(warning);
  const booting = boot({
    image: task.base,
    cmd: [],
    env: packages && { ...packages.env, ...BUILD_ENV },
    kernel: opts.kernel === undefined ? undefined : task.kernel,
    dtb: task.dtb,
    binary: opts.binary,
    cwd: opts.cwd,
    memory: opts.memory,
    rootDisk: true,
    rootDiskSizeBytes: task.diskBytes,
    vmmEnv: opts.vmmEnv,
    timeoutMs: null,
    onLog,
  });
  let vm: VmHandle | undefined;
  try {
    vm = await unlessAborted(signal, booting);
    phases.mark("boot");
    if (packages) await unlessAborted(signal, shareHostPackages(vm, packages, warn));
    await unlessAborted(signal, copyFiles(vm, task.copies, signal));
    await unlessAborted(signal, install(opts, vm, warnings));
    phases.mark("install");
    const config = task.config && JSON.stringify(task.config);
    await archiveGuest({
      socketPath: execSocketOf(vm),
      path: stagedPath,
      compress: !task.out.endsWith(".tar"),
      prefix: config
        ? tarFileMember("./machinen-config.json", config, Date.now() / 1000)
        : Buffer.alloc(0),
      limitBytes: task.limitBytes,
      onLog,
      signal,
    });
    phases.mark("archive");
  } finally {
    if (vm) await vm.kill();
    else await abandon(booting);
  }
}
