import {
  appendFileSync,
  constants,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { assetNames, assetsDir } from "../assets/assets-dir.ts";
import { BootError, ErrorCode } from "../errors.ts";
import { cacheDir, cacheRoot, statKey } from "./cache-dir.ts";
import { directory, FileTree, regularFile } from "./file-tree.ts";
import { defaultInitPath, readInit } from "./guest-init.ts";
import { writeInitramfs } from "./initramfs-file.ts";
import { addInit, addTarball } from "./mkinitramfs.ts";

export interface PackBootInitramfsOptions {
  /** Tarball that becomes the guest's root in RAM. Without it the root is a disk. */
  image?: string;
  /** Written to `/machinen-config.json`. */
  config: object;
  /** The initramfs to write. */
  out: string;
  /** PID 1; default: the built one. */
  initPath?: string;
  /** Directory with modules and `modules.list`; default: the installed ones. `null`: none. */
  modulesDir?: string | null;
  /** Default `~/.cache/machinen/initramfs`. */
  cacheDir?: string;
}

/** Bases of images no longer booted would otherwise stay for ever. */
const KEPT_BASES = 8;

/**
 * Write the initramfs of one boot: a cached base, the same for every boot of its image, with a
 * small archive of this VM's own after it (the kernel unpacks one archive after the other, later
 * files win). Uncompressed, because an emulated CPU unpacks slower than the host copies.
 */
export function packBootInitramfs(opts: PackBootInitramfsOptions): void {
  const own = new FileTree();
  own.put("machinen-config.json", regularFile(JSON.stringify(opts.config), 0o600));
  const tail = Buffer.concat([...own.toCpio()]);
  for (let attempt = 0; ; attempt++) {
    const base = cachedBase(opts);
    try {
      copyFileSync(base, opts.out, constants.COPYFILE_FICLONE);
      break;
    } catch (error) {
      // Another process may have tidied the cache between the look-up and the copy.
      if (attempt === 2 || existsSync(base)) throw error;
    }
  }
  appendFileSync(opts.out, tail);
}

/** The files the base of every initramfs is made of: PID 1, then modules and their list. */
export function initramfsInputs(
  opts: Pick<PackBootInitramfsOptions, "initPath" | "modulesDir"> = {},
): { initPath: string; modules: string[] } {
  const initPath = opts.initPath ?? defaultInitPath();
  if (!existsSync(initPath)) readInit(initPath); // throws, and says how to build it
  return { initPath, modules: listModules(opts.modulesDir) };
}

function cachedBase(opts: PackBootInitramfsOptions): string {
  const { initPath, modules } = initramfsInputs(opts);
  const inputs = [initPath, ...modules, ...(opts.image ? [opts.image] : [])];
  const caches = cacheDir(opts.cacheDir ?? join(cacheRoot(), "initramfs"));
  const path = join(caches, `${statKey(...inputs)}.cpio`);
  if (existsSync(path)) {
    utimesSync(path, new Date(), new Date()); // what was used last is kept longest
    return path;
  }

  const tree = new FileTree();
  if (opts.image) addTarball(tree, opts.image);
  // Image and modules are the guest's; whatever else it has at this place is not ours to load.
  tree.remove("lib/machinen");
  for (const module of modules) {
    const name = module.slice(module.lastIndexOf("/") + 1);
    const place = name === "modules.list" ? "lib/machinen" : "lib/machinen/modules";
    tree.put(`${place}/${name}`, regularFile(readFileSync(module)));
  }
  if (modules.length > 0 && !tree.get("lib")) tree.put("lib", directory());
  addInit(tree, initPath);
  writeInitramfs(tree, path);
  forgetOldBases(caches);
  return path;
}

/** The module files and their list, by absolute path; empty when the kernel needs none. */
function listModules(given: string | null | undefined): string[] {
  if (given === null) return [];
  const modules = given ?? join(assetsDir(), assetNames().modules);
  try {
    if (!existsSync(join(modules, "modules.list"))) throw new Error("it has no modules.list");
    return readdirSync(modules)
      .filter((name) => name.endsWith(".ko") || name === "modules.list")
      .sort()
      .map((name) => join(modules, name));
  } catch (cause) {
    throw new BootError(
      ErrorCode.BOOT_KERNEL_NOT_FOUND,
      `the guest's kernel modules were not found in ${modules}: run \`machinen install kernel\``,
      { cause },
    );
  }
}

function forgetOldBases(caches: string): void {
  const bases = readdirSync(caches)
    .filter((name) => name.endsWith(".cpio"))
    .map((name) => join(caches, name))
    .map((path) => ({ path, used: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.used - a.used);
  for (const { path } of bases.slice(KEPT_BASES)) rmSync(path, { force: true });
}
