import { statSync } from "node:fs";
import { isMachinenError } from "../errors.ts";
import { warmImageConfigCache } from "../images/index.ts";
import { type OnLog, PhaseTimer } from "../log.ts";
import { build } from "./build.ts";
import { BuildLog } from "./build-log.ts";
import { deadline } from "./deadline.ts";
import type { ProvisionOptions, ProvisionResult } from "./options.ts";
import { planProvision } from "./plan.ts";
import { stageFile } from "./staged-file.ts";

/** Of an error: where to read more. */
function withLogPath(error: unknown, path: string | undefined): unknown {
  if (path !== undefined && isMachinenError(error)) {
    error.message += `\nThe build's log is ${path}`;
  }
  return error;
}

/**
 * Boot a base on a disk of its own, let `install` change it, and write its root file system into a tarball that
 * `boot({ image })` takes. The machine is ended with SIGKILL: nothing of it but the tarball stays. What the
 * build printed is kept in a file when it fails; errors of this package say where.
 *
 * @throws {ProvisionError} PROVISION_BASE_NOT_FOUND | PROVISION_KERNEL_NOT_FOUND |
 * PROVISION_DTB_NOT_FOUND | PROVISION_ASSETS_DIR_INVALID | PROVISION_INSTALL_HOOK_FAILED (the hook,
 * the archive, or `timeoutMs`) | PROVISION_DISK_TOO_SMALL (the image, or the disk it goes to)
 * @throws {FilesError} FILES_HOST_DIR_NOT_FOUND | FILES_TRANSFER_FAILED (of `copy`)
 * @throws {BootError} BOOT_CWD_INVALID, and what `boot()` throws
 */
export async function provision(opts: ProvisionOptions): Promise<ProvisionResult> {
  const began = performance.now();
  const task = planProvision(opts);
  opts.signal?.throwIfAborted();
  const phases = new PhaseTimer("provision", opts.onLog);
  const limit = deadline(task.timeoutMs, opts.signal);
  const log = new BuildLog();
  const onLog: OnLog = (event) => {
    log.event(event);
    opts.onLog?.(event);
  };
  const warn = (message: string) => {
    log.line(message);
    opts.onWarning?.(message);
  };
  let staged: ReturnType<typeof stageFile> | undefined;
  try {
    staged = stageFile(task.out);
    const { signal } = limit;
    await build(opts, task, staged.path, { onLog, warn, phases, signal });
    staged.publish();
    warmImageConfigCache(task.out, task.config);
    phases.mark("publish");
    log.discard();
    const { size } = statSync(task.out);
    return { imagePath: task.out, sizeBytes: size, elapsedMs: performance.now() - began };
  } catch (error) {
    const reason = limit.signal.aborted ? limit.signal.reason : error;
    log.line(reason instanceof Error ? reason.message : String(reason));
    log.keep();
    throw withLogPath(reason, log.path);
  } finally {
    staged?.discard();
    limit.clear();
    phases.flush();
  }
}
