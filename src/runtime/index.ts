import { CONSOLE_TAIL_BYTES, collect } from "./machine/index.ts";
import { validateMemoryMib } from "./memory/index.ts";

export {
  type ComparedMachine,
  compare,
  type FileAspect,
  type FileDifference,
  type FileState,
  type FileType,
  type MachineDifference,
  type ProcessDifference,
  type SessionDifference,
  type Side,
} from "./compare/index.ts";
export * from "./errors.ts";
export {
  VsockExec,
  type VsockExecOptions,
  type VsockExecPtyHandle,
  type VsockExecPtyOptions,
  type VsockExecPtyResult,
  type VsockExecResult,
  VsockSecrets,
  type VsockSecretsOptions,
  VsockWinsize,
  type VsockWinsizeOptions,
} from "./exec/index.ts";
export { VsockFiles, type VsockFilesOptions } from "./files/index.ts";
export {
  cli as mkinitramfsCli,
  type EnsureMountDiskImageOptions,
  type EnsureMountDiskImageResult,
  type EnsureMountDiskUpperOptions,
  type EnsureMountDiskUpperResult,
  type EnsureRootfsImageOptions,
  ensureMountDiskImage,
  ensureMountDiskUpper,
  ensureRootfsImage,
  type ImageConfig,
  markMountDiskImageClean,
  markRootfsImageClean,
  mountdiskImgCacheDir,
  type PackBundleOptions,
  type PackMinimalOptions,
  type PackRootfsOptions,
  type PackTinyBundleOptions,
  type PackWorkspaceOptions,
  packBundle as mkinitramfsBundle,
  packMinimal as mkinitramfsMinimal,
  packRootfs as mkinitramfsRootfs,
  packTinyBundle as mkinitramfsTinyBundle,
  packWorkspace as mkinitramfsWorkspace,
  resolveBaseDtb,
  resolveBaseKernel,
  resolveBaseRootfs,
  resolveMke2fs,
  resolveMksquashfs,
  rootfsImgCacheDir,
  warmImageConfigCache,
} from "./images/index.ts";
export type { ChunkLogEvent, LogEvent, OnLog, PhaseLogEvent } from "./log.ts";
export {
  type AttachOptions,
  attach,
  type BootOptions,
  boot,
  bootSnapshotPath,
  buildMachinenConfig,
  buildWriteFileCmd,
  buildWriteFileCmds,
  collectGarbage as runGc,
  detachedLogRoot,
  type Machine,
  type MemoryStats,
  measureFirstByte,
  prepareBoot,
  resolveVmmBinary,
  type VmHandle,
  type WriteFileOptions,
  writeBootSnapshot,
} from "./machine/index.ts";
export {
  autoSizeMemoryMib,
  type BalloonCounters,
  type CheckForkBackpressureOptions,
  checkForkBackpressure,
  DEFAULT_FREE_MEMORY_THRESHOLD,
  type RssTarget,
  readBalloonStats,
  readHostFreeBytes,
  readHostRssBytes,
  readHostRssBytesMulti,
  readHostTotalBytes,
  STATS_FILE_SIZE,
} from "./memory/index.ts";
export {
  bootPty,
  type OnOutputListener,
  type PtyBootOptions,
  type PtyVmHandle,
  type SandboxEntry,
  Sandboxes,
  Supervisor,
  type SupervisorCommand,
  type SupervisorOptions,
} from "./multiplex/index.ts";
export { type ProvisionOptions, type ProvisionResult, provision } from "./provision/index.ts";
export {
  type GcResult,
  list,
  type PidStatus,
  type RegistryEntry,
  type RunGcOptions,
  registryRoot,
  validatePid,
} from "./registry/index.ts";
export {
  type ForkManyOptions,
  type ForkOptions,
  type RestoreOptions,
  restore,
  type SnapshotMeta,
  type SnapshotOptions,
  type SnapshotResult,
} from "./snapshot/index.ts";

/** For tests of this package; may change in any version. */
export const _internal = { collect, CONSOLE_TAIL_BYTES, validateMemoryMib };
