import {
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
  type OnLog,
  type ProvisionOptions,
  type ProvisionResult,
  provision,
  resolveBaseDtb,
  resolveBaseKernel,
  resolveBaseRootfs,
  resolveMke2fs,
  resolveMksquashfs,
  rootfsImgCacheDir,
  type VmHandle,
  warmImageConfigCache,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const texts: string[];
declare const table: Record<string, string>;
declare const count: number;
declare const flag: boolean;
declare const onLog: OnLog;

/** What machines boot from. Never run, only compiled. */
export const statements = {
  ProvisionOptions() {
    const least: ProvisionOptions = { install: async () => {}, out: text };
    const most: ProvisionOptions = {
      base: text,
      install: async (vm: VmHandle) => {
        await vm.exec(text);
      },
      out: text,
      cmd: texts,
      env: table,
      binary: text,
      cwd: text,
      scratchDiskSizeBytes: count,
      timeoutMs: count,
      vmmEnv: table,
      kernel: text,
      dtb: text,
      onLog,
    };
    return [least, most];
  },

  ProvisionResult(result: ProvisionResult) {
    const known: { imagePath: string; sizeBytes: number; elapsedMs: number } = result;
    const own: ProvisionResult = { ...known };
    return own;
  },

  provision() {
    const result: Promise<ProvisionResult> = provision({ install: async () => {}, out: text });
    return result;
  },

  resolveBaseRootfs() {
    const paths: string[] = [resolveBaseRootfs(), resolveBaseRootfs(text, text)];
    return paths;
  },

  resolveBaseKernel() {
    const paths: string[] = [resolveBaseKernel(), resolveBaseKernel(undefined, text)];
    return paths;
  },

  resolveBaseDtb() {
    const paths: string[] = [resolveBaseDtb(), resolveBaseDtb(text)];
    return paths;
  },

  ImageConfig() {
    const all: ImageConfig[] = [{}, { cmd: texts, env: table, cwd: text }];
    const read: string[] | undefined = all[0]?.cmd;
    return [all, read];
  },

  warmImageConfigCache() {
    warmImageConfigCache(text, { cmd: texts });
    warmImageConfigCache(text, null);
  },

  rootfsImgCacheDir() {
    const path: string = rootfsImgCacheDir();
    return path;
  },

  markRootfsImageClean() {
    markRootfsImageClean(text);
  },

  EnsureRootfsImageOptions() {
    const all: EnsureRootfsImageOptions[] = [
      {},
      {
        cacheDir: text,
        force: flag,
        sizeMultiplier: count,
        minSizeBytes: count,
        sizeBytes: count,
        onPhase: (name: string, ms: number) => name + ms,
      },
    ];
    return all;
  },

  /** Synchronous: a program may use the path in its next statement. */
  ensureRootfsImage() {
    const paths: string[] = [ensureRootfsImage(text), ensureRootfsImage(text, { force: true })];
    return paths;
  },

  resolveMke2fs() {
    const path: string | undefined = resolveMke2fs();
    return path;
  },

  mountdiskImgCacheDir() {
    const path: string = mountdiskImgCacheDir();
    return path;
  },

  markMountDiskImageClean() {
    markMountDiskImageClean(text);
  },

  EnsureMountDiskImageOptions() {
    const all: EnsureMountDiskImageOptions[] = [
      {},
      { cacheDir: text, force: flag, onPhase: (name: string, ms: number) => name + ms },
    ];
    return all;
  },

  EnsureMountDiskImageResult(result: EnsureMountDiskImageResult) {
    const known: { lowerPath: string; key: string } = result;
    const own: EnsureMountDiskImageResult = { ...known };
    return own;
  },

  ensureMountDiskImage() {
    const results: EnsureMountDiskImageResult[] = [
      ensureMountDiskImage(text),
      ensureMountDiskImage(text, { cacheDir: text }),
    ];
    return results;
  },

  EnsureMountDiskUpperOptions() {
    const all: EnsureMountDiskUpperOptions[] = [{}, { sizeBytes: count }];
    return all;
  },

  EnsureMountDiskUpperResult(result: EnsureMountDiskUpperResult) {
    const known: { upperPath: string; sizeBytes: number } = result;
    const own: EnsureMountDiskUpperResult = { ...known };
    return own;
  },

  ensureMountDiskUpper() {
    const results: EnsureMountDiskUpperResult[] = [
      ensureMountDiskUpper(),
      ensureMountDiskUpper({ sizeBytes: count }),
    ];
    return results;
  },

  resolveMksquashfs() {
    const path: string | undefined = resolveMksquashfs();
    return path;
  },
};
