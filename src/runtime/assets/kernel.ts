import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ErrorCode, ProvisionError } from "../errors.ts";
import { type AptContext, aptDependencies, aptUnpack } from "./apt.ts";
import { writeFileDurably } from "./asset-record.ts";
import { assetNames, debianArch } from "./assets-dir.ts";
import { loadOrder, moduleDependencies, moduleName } from "./module-info.ts";
import { extractVmlinux, unxz } from "./vmlinux.ts";

/** What a guest uses that Debian's cloud kernel has as modules; dependencies are added by name. */
const WANTED_MODULES = [
  "virtio_mmio",
  "virtio_console",
  "virtio_blk",
  "virtio_net",
  "tcp_diag",
  "virtio_balloon",
  "overlay",
  "squashfs",
  "fuse",
];

/** Raise it when the modules above change: kernels installed earlier lack them. */
export const KERNEL_RECIPE = 2;

/** Put the guest kernel and its modules into `staging`; returns the package they are from. */
export async function buildKernel(
  staging: string,
  onProgress: (step: string) => void,
): Promise<string> {
  const arch = debianArch();
  const names = assetNames(arch);
  const context: AptContext = {
    code: ErrorCode.PROVISION_KERNEL_NOT_FOUND,
    kind: "kernel",
    onProgress,
  };
  const dependencies = await aptDependencies(`linux-image-cloud-${arch}`, context);
  const name = dependencies.find((found) => found.startsWith("linux-image-"));
  if (!name) {
    throw new ProvisionError(
      context.code,
      `apt knows no kernel behind linux-image-cloud-${arch}.\n` +
        "Next: add the Debian archive to apt's sources, then `machinen install kernel`",
    );
  }

  const download = join(staging, "download");
  mkdirSync(download);
  const { tree, version } = await aptUnpack(name, download, context);
  onProgress("extracting the kernel");
  const vmlinuz = readdirSync(join(tree, "boot")).find((file) => file.startsWith("vmlinuz-"));
  if (!vmlinuz) throw new ProvisionError(context.code, `${name} holds no boot/vmlinuz-*`);
  writeFileDurably(
    join(staging, names.kernel),
    extractVmlinux(readFileSync(join(tree, "boot", vmlinuz))),
  );
  writeModules(tree, join(staging, names.modules));
  return `${name} ${version}, recipe ${KERNEL_RECIPE}`;
}

/** Copy the wanted modules and what they depend on, and say in which order to load them. */
function writeModules(tree: string, target: string): void {
  const modules = findModules(tree);
  const contents = new Map<string, Buffer>();
  const order = loadOrder(WANTED_MODULES, (name) => {
    const path = modules.get(name);
    if (!path) return undefined;
    const raw = readFileSync(path);
    const content = path.endsWith(".xz") ? unxz(raw) : raw;
    contents.set(name, content);
    return moduleDependencies(content);
  });
  mkdirSync(target);
  for (const name of order) writeFileDurably(join(target, `${name}.ko`), contents.get(name)!);
  const list = order.map((name) => `/lib/machinen/modules/${name}.ko\n`).join("");
  writeFileDurably(join(target, "modules.list"), list);
}

/** Module name to file, for every module of the unpacked package. */
function findModules(tree: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const root of [join(tree, "lib/modules"), join(tree, "usr/lib/modules")]) {
    let files: string[];
    try {
      files = readdirSync(root, { recursive: true, encoding: "utf8" });
    } catch {
      continue; // the package uses the other of the two places
    }
    for (const file of files) {
      const name = /^(.*)\.ko(\.xz)?$/.exec(basename(file))?.[1];
      if (name) found.set(moduleName(name), join(root, file));
    }
  }
  return found;
}
