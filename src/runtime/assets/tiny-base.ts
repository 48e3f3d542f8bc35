import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ErrorCode } from "../errors.ts";
import { aptUnpack } from "./apt.ts";
import { writeFileDurably } from "./asset-record.ts";
import { runCommand } from "./run-command.ts";
import { TINY_RECIPE, tinyDirectories, tinyFiles } from "./tiny-tree.ts";

/** Write the tiny base, a tree around one static busybox, to `out`; returns what it was made from. */
export async function buildTinyBase(
  staging: string,
  out: string,
  onProgress: (step: string) => void,
): Promise<string> {
  const busybox = await findStaticBusybox(staging, onProgress);
  onProgress("packing the tiny base");
  const tree = join(staging, "root");
  mkdirSync(tree);
  for (const [path, mode] of tinyDirectories()) {
    mkdirSync(join(tree, path), { recursive: true });
    chmodSync(join(tree, path), mode);
  }
  copyFileSync(busybox, join(tree, "bin/busybox"));
  chmodSync(join(tree, "bin/busybox"), 0o755);
  const applets = (await runCommand(busybox, ["--list-full"])).split("\n").filter(Boolean);
  for (const file of tinyFiles(applets)) {
    const path = join(tree, file.path);
    if (file.target !== undefined) symlinkSync(file.target, path);
    else {
      writeFileSync(path, file.content ?? "");
      chmodSync(path, file.mode ?? 0o644);
    }
  }
  await packReproducibly(tree, out, join(staging, "rootfs.tar"));
  const banner = (await runCommand(busybox, [])).split("\n")[0] ?? "";
  const version = /v(\S+)/.exec(banner)?.[1] ?? "unknown";
  return `busybox ${version}, recipe ${TINY_RECIPE}`;
}

/** Same tree, same bytes: sorted, no times, all owned by root. */
async function packReproducibly(tree: string, out: string, tar: string): Promise<void> {
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  await runCommand("tar", [
    ...["--sort=name", "--mtime=@0", "--format=gnu", ...owner],
    ...["-C", tree, "-cf", tar, "."],
  ]);
  writeFileDurably(out, gzipSync(readFileSync(tar), { level: 9 }));
}

/** The host's busybox when it is static, else one from the package, which need not be installed. */
async function findStaticBusybox(
  staging: string,
  onProgress: (step: string) => void,
): Promise<string> {
  for (const path of ["/bin/busybox", "/usr/bin/busybox"]) {
    if (existsSync(path) && isStaticElf(readFileSync(path))) return path;
  }
  const directory = join(staging, "download");
  mkdirSync(directory);
  const { tree } = await aptUnpack("busybox-static", directory, {
    code: ErrorCode.PROVISION_BASE_NOT_FOUND,
    kind: "tiny",
    onProgress,
  });
  const path = ["bin/busybox", "usr/bin/busybox"].map((file) => join(tree, file)).find(existsSync);
  if (!path) throw new Error("the package busybox-static holds no bin/busybox");
  return path;
}

/** Whether a 64-bit little-endian ELF program needs no dynamic loader (it has no PT_INTERP). */
export function isStaticElf(program: Buffer): boolean {
  if (program.length < 64 || program.toString("latin1", 0, 4) !== "\x7fELF" || program[4] !== 2)
    return false;
  const tableAt = Number(program.readBigUInt64LE(0x20));
  const entrySize = program.readUInt16LE(0x36);
  const count = program.readUInt16LE(0x38);
  for (let index = 0; index < count; index++) {
    const at = tableAt + index * entrySize;
    if (at + 4 > program.length) return false;
    if (program.readUInt32LE(at) === 3) return false;
  }
  return true;
}
