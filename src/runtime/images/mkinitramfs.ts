import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { ErrorCode, MkinitramfsError } from "../errors.ts";
import { directory, FileTree, regularFile } from "./file-tree.ts";
import { readInit } from "./guest-init.ts";
import { addHostDirectory } from "./host-directory.ts";
import { InitramfsTooLarge, writeInitramfs } from "./initramfs-file.ts";
import { matchesAny } from "./name-pattern.ts";
import { readTarball } from "./tarball.ts";

export interface PackMinimalOptions {
  /** The cpio to write. */
  out: string;
  /** PID 1; default: the built one. */
  initPath?: string;
  /** File to put at `/machinen-config.json`. */
  config?: string;
}

export interface PackRootfsOptions extends PackMinimalOptions {
  /** Host directory that becomes the guest's root. */
  rootfs: string;
  /** Shell patterns of paths, relative to the root, to leave out. */
  excludes?: string[];
}

export interface PackBundleOptions {
  /** Directory with `machinen-config.json` and, optionally, `rootfs/`. */
  bundle: string;
  /** The cpio to write. */
  out: string;
  /** Tarball below everything else. */
  base?: string;
  /** Host directory copied in over the base and under the bundle's rootfs. */
  mount?: { host: string; guest: string };
  /** Added to the `env` of the bundle's configuration, whose own entries win. */
  env?: Record<string, string>;
  /** Shell patterns of paths, relative to the root, to leave out of the bundle's rootfs. */
  excludes?: string[];
  /** PID 1; default: the built one. */
  initPath?: string;
  /** Program to put at `/fuse-agent`. */
  fuseAgentPath?: string;
  /** Program to put at `/exec-agent`. */
  execAgentPath?: string;
}

export interface PackTinyBundleOptions {
  /** Directory with `machinen-config.json`; the guest's root is its disk. */
  bundle: string;
  /** The cpio to write. */
  out: string;
  /** Added to the `env` of the bundle's configuration, whose own entries win. */
  env?: Record<string, string>;
  /** Where in the guest the mounted disk image goes: an absolute path. */
  mountGuest?: string;
  /** PID 1; default: the built one. */
  initPath?: string;
  /** Program to put at `/fuse-agent`. */
  fuseAgentPath?: string;
}

export interface PackWorkspaceOptions {
  /** Host directory to pack. */
  workspace: string;
  /** The cpio to write. */
  out: string;
  /** Directory name inside the cpio; default `workspace`. */
  mountpoint?: string;
  /** Shell patterns of file names, at any depth, to leave out. */
  excludes?: Iterable<string>;
  /** Largest cpio to write, in MiB; default 500. */
  maxMb?: number;
}

/** What is left out of a workspace unless said otherwise: what tools make, and make again. */
export const DEFAULT_WORKSPACE_EXCLUDES: readonly string[] = [
  ".git",
  "node_modules",
  ".venv",
  "__pycache__",
  ".cache",
  ".turbo",
  ".next",
  "target",
  ".DS_Store",
];

/** PID 1 and its configuration, nothing else. */
export function packMinimal(opts: PackMinimalOptions): void {
  const tree = new FileTree();
  addInit(tree, opts.initPath);
  if (opts.config) tree.put("machinen-config.json", regularFile(readBundleFile(opts.config)));
  writeInitramfs(tree, opts.out);
}

/** A host directory as the guest's root. */
export function packRootfs(opts: PackRootfsOptions): void {
  requireDirectory(opts.rootfs, ErrorCode.MKINITRAMFS_BUNDLE_INVALID);
  const tree = new FileTree();
  addHostDirectory(tree, opts.rootfs, { isExcluded: matchesAny(opts.excludes ?? []) });
  addInit(tree, opts.initPath);
  if (opts.config) tree.put("machinen-config.json", regularFile(readBundleFile(opts.config)));
  writeInitramfs(tree, opts.out);
}

/** A whole root in RAM: base tarball, then the mount, then the bundle's rootfs. */
export function packBundle(opts: PackBundleOptions): void {
  const config = mergeConfig(opts.bundle, opts.env);
  const tree = new FileTree();
  if (opts.base) addTarball(tree, opts.base);
  if (opts.mount) addHostDirectory(tree, opts.mount.host, { at: opts.mount.guest });
  const rootfs = join(opts.bundle, "rootfs");
  if (existsSync(rootfs))
    addHostDirectory(tree, rootfs, { isExcluded: matchesAny(opts.excludes ?? []) });
  if (opts.execAgentPath) addProgram(tree, "exec-agent", opts.execAgentPath);
  if (opts.fuseAgentPath) addProgram(tree, "fuse-agent", opts.fuseAgentPath);
  tree.put("machinen-config.json", regularFile(config));
  addInit(tree, opts.initPath);
  writeInitramfs(tree, opts.out);
}

/** What a guest whose root is a disk needs to get there. */
export function packTinyBundle(opts: PackTinyBundleOptions): void {
  const tree = new FileTree();
  tree.put("machinen-config.json", regularFile(mergeConfig(opts.bundle, opts.env)));
  const epoch = Math.floor(Date.now() / 1000);
  tree.put("etc/machinen-boot-epoch", regularFile(`${epoch}\n`));
  if (opts.mountGuest !== undefined) {
    if (!/^\/mnt\/./.test(posix.normalize(opts.mountGuest)))
      throw invalidBundle(`mountGuest must be a path below /mnt, not ${opts.mountGuest}`);
    tree.put("etc/machinen-mountdisk-guest", regularFile(opts.mountGuest));
  }
  if (opts.fuseAgentPath) addProgram(tree, "fuse-agent", opts.fuseAgentPath);
  addInit(tree, opts.initPath);
  writeInitramfs(tree, opts.out);
}

/** A host directory as one directory of an archive, to be put over another initramfs. */
export function packWorkspace(opts: PackWorkspaceOptions): void {
  requireDirectory(opts.workspace, ErrorCode.MKINITRAMFS_WORKSPACE_INVALID);
  const isExcludedName = matchesAny(opts.excludes ?? DEFAULT_WORKSPACE_EXCLUDES);
  const maxMb = opts.maxMb ?? 500;
  const tree = new FileTree();
  addHostDirectory(tree, opts.workspace, {
    at: opts.mountpoint ?? "workspace",
    isExcluded: (path) => isExcludedName(basename(path)),
  });
  try {
    writeInitramfs(tree, opts.out, maxMb * 1024 * 1024);
  } catch (cause) {
    if (!(cause instanceof InitramfsTooLarge)) throw cause;
    throw new MkinitramfsError(
      ErrorCode.MKINITRAMFS_WORKSPACE_TOO_LARGE,
      `the workspace ${opts.workspace} packs to more than ${maxMb} MiB: exclude more, or raise maxMb`,
      { cause },
    );
  }
}

/** PID 1, and what the kernel and PID 1 need before anything is mounted. */
export function addInit(tree: FileTree, initPath?: string): void {
  // The kernel starts /init from the tree's root, so it must not go through a link of the image.
  tree.remove("init");
  tree.put("init", regularFile(readInit(initPath), 0o755));
  for (const path of ["dev", "proc", "sys", "run"])
    if (!tree.get(path)) tree.put(path, directory());
  if (!tree.get("tmp")) tree.put("tmp", directory(0o1777));
  // The kernel opens /dev/console for PID 1 before devtmpfs is there.
  tree.put("dev/console", { mode: 0o020600, uid: 0, gid: 0, mtime: 0, rdev: [5, 1] });
}

export function addTarball(tree: FileTree, path: string): void {
  try {
    tree.addTar(readTarball(path));
  } catch (cause) {
    throw new MkinitramfsError(
      ErrorCode.MKINITRAMFS_BASE_EXTRACT_FAILED,
      `the base ${path} cannot be unpacked: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function addProgram(tree: FileTree, path: string, host: string): void {
  tree.put(path, regularFile(readBundleFile(host), 0o755));
}

/** The bundle's configuration as JSON text, with further environment below its own. */
function mergeConfig(bundle: string, env: Record<string, string> = {}): string {
  const path = join(bundle, "machinen-config.json");
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw invalidBundle(`${path} is not a readable JSON file: ${(cause as Error).message}`, cause);
  }
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw invalidBundle(`${path} does not hold a JSON object`);
  if (Object.keys(env).length === 0) return JSON.stringify(config);
  const own = (config as { env?: Record<string, string> }).env;
  return JSON.stringify({ ...config, env: { ...env, ...own } });
}

function readBundleFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw invalidBundle(`${path} cannot be read: ${(cause as Error).message}`, cause);
  }
}

function requireDirectory(path: string, code: ErrorCode): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new MkinitramfsError(code, `${path} is not a directory`);
}

function invalidBundle(message: string, cause?: unknown): MkinitramfsError {
  return new MkinitramfsError(ErrorCode.MKINITRAMFS_BUNDLE_INVALID, message, { cause });
}
