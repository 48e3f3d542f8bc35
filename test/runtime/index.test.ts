import { expect, test } from "vitest";
import * as runtime from "../../src/runtime/index.ts";

/** Values of the public API that users import by name. */
const NAMES = `
  BootError CacheError DEFAULT_FREE_MEMORY_THRESHOLD ErrorCode ExecError FilesError GvproxyError MachinenError
  MkinitramfsError MountError ParseError ProvisionError RegistryError STATS_FILE_SIZE SandboxError Sandboxes
  SecretsError SnapshotError Supervisor VsockExec VsockFiles VsockSecrets VsockWinsize WinsizeError _internal attach
  autoSizeMemoryMib boot bootPty bootSnapshotPath buildMachinenConfig buildWriteFileCmd buildWriteFileCmds
  checkForkBackpressure compare detachedLogRoot ensureMountDiskImage ensureMountDiskUpper ensureRootfsImage
  formatMachinenError isMachinenError list markMountDiskImageClean markRootfsImageClean measureFirstByte
  mkinitramfsBundle mkinitramfsCli mkinitramfsMinimal mkinitramfsRootfs mkinitramfsTinyBundle
  mkinitramfsWorkspace mountdiskImgCacheDir prepareBoot provision readBalloonStats readHostFreeBytes readHostRssBytes
  readHostRssBytesMulti readHostTotalBytes registryRoot resolveBaseDtb resolveBaseKernel resolveBaseRootfs
  resolveMke2fs resolveMksquashfs resolveVmmBinary restore rootfsImgCacheDir runGc validatePid
  warmImageConfigCache writeBootSnapshot
`;

test("the library exports its public names and no others", () => {
  expect(Object.keys(runtime).sort()).toEqual(NAMES.trim().split(/\s+/).sort());
});
