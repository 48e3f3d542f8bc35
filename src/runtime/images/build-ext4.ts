import { spawn, spawnSync } from "node:child_process";
import { ErrorCode, ProvisionError } from "../errors.ts";
import { resolveMke2fs } from "./host-tools.ts";
import { ownFilesPrefix } from "./own-files.ts";

export interface Ext4Request {
  tarball: string;
  /** An empty directory of our own, on the file system the image shall be on; left empty. */
  staging: string;
  image: string;
  /** Exact size, or how to get it from the unpacked size. */
  size: { bytes: number } | { multiplier: number; minBytes: number };
  /** File system id, so that the same tarball gives the same one. */
  uuid: string;
}

/** A program to be run, so that callers may wait for it or not. */
export interface Ext4Command {
  program: string;
  args: string[];
  request: Ext4Request;
}

/**
 * No journal: an image is only ever written through one VM's private overlay, which is never
 * mounted again after a crash; without it the guest writes each block once.
 */
const MKE2FS_OPTIONS = "-t ext4 -q -F -b 4096 -I 256 -m 0 -O ^has_journal";

/**
 * tar unpacks, mke2fs fills the image from the directory: mke2fs 1.47.0 cannot read tarballs
 * itself. One script, because in a user namespace or under fakeroot both must see the same owners.
 * Device nodes are left out: the guest's devtmpfs has them. What decompresses is started here and not by tar, to
 * tell how long it took; it is allowed to end by SIGPIPE (141), because tar reads no further than the archive's end.
 */
const SCRIPT = `set -eu
tarball=$1 staging=$2 image=$3 uuid=$4 mke2fs=$5 exact=$6 percent=$7 min=$8 xattrs=$9
now() { date +%s%N | cut -c1-13; }
trap 'chmod -R u+rwX "$staging/tree" 2>/dev/null; rm -rf "$staging/tree"' EXIT
mkdir "$staging/tree"
exec 3>&1
began=$(now)
extract() {
    tar -xpf "$1" -C "$staging/tree" --numeric-owner --same-owner $xattrs \\
        --anchored --exclude='./dev/?*' --exclude='dev/?*'
}
if [ "$(head -c 2 <"$tarball" | od -An -tx1)" = " 1f 8b" ]; then
    { gzip -dc <"$tarball" && code=0 || code=$?
      echo "gunzip-prebake $(($(now) - began))" >&3; echo $code >"$staging/gunzip"; } | extract -
    code=$(cat "$staging/gunzip")
    [ "$code" = 0 ] || [ "$code" = 141 ] || exit 1
else extract "$tarball"; fi
mkdir -p "$staging/tree/dev" "$staging/tree/proc" "$staging/tree/sys" "$staging/tree/run"
ended=$(now); echo "tar-extract $((ended - began))"
if [ "$exact" -gt 0 ]; then bytes=$exact; else
    used=$(du -sk "$staging/tree" | cut -f1)
    bytes=$((used * 1024 * percent / 100))
    [ "$bytes" -ge "$min" ] || bytes=$min
fi
began=$(now)
make_image() {
    "$mke2fs" OPTIONS "$@" -U "$uuid" -d "$staging/tree" "$image" $(((bytes + 4095) / 4096))
}
# A new sparse file is zero already; a guest that is not told so zeroes the inode tables again, in
# its overlay. mke2fs before 1.47 cannot be told.
make_image -E assume_storage_prezeroed=1 2>"$staging/why" || make_image || { cat "$staging/why" >&2; exit 1; }
sync "$image"
ended=$(now); echo "mke2fs $((ended - began))"
`;

/** How to build the image; throws ROOTFS_IMG_TOOL_MISSING when this host cannot. */
export function planExt4(request: Ext4Request): Ext4Command {
  const mke2fs = resolveMke2fs();
  if (!mke2fs) {
    throw new ProvisionError(
      ErrorCode.ROOTFS_IMG_TOOL_MISSING,
      "mke2fs was not found: run `apt-get install e2fsprogs` as root",
    );
  }
  const { tarball, staging, image, uuid, size } = request;
  const exact = "bytes" in size ? size.bytes : 0;
  const percent = "bytes" in size ? 0 : Math.ceil(size.multiplier * 100);
  const min = "bytes" in size ? 0 : size.minBytes;
  const numbers = [exact, percent, min].map((value) => String(Math.trunc(value)));
  const script = SCRIPT.replace("OPTIONS", MKE2FS_OPTIONS);
  const prefix = ownFilesPrefix();
  // fakeroot loses the type of a file whose first faked property is an extended attribute.
  const xattrs = prefix[0] === "fakeroot" ? "--no-xattrs" : "--xattrs --xattrs-include=*";
  const values = [tarball, staging, image, uuid, mke2fs, ...numbers, xattrs];
  const [program, ...args] = [...prefix, "sh", "-f", "-c", script, "sh", ...values];
  return { program: program!, args, request };
}

/** Run it while this process waits; returns the milliseconds of each phase. */
export function runExt4Sync(command: Ext4Command): Map<string, number> {
  const { status, stdout, stderr, error } = spawnSync(command.program, command.args, {
    encoding: "utf8",
  });
  if (error) throw failure(command, error.message);
  if (status !== 0) throw failure(command, stderr);
  return phases(stdout);
}

/** Run it in the background. */
export function runExt4(command: Ext4Command): Promise<Map<string, number>> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.program, command.args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr = (stderr + text).slice(-4000);
    });
    child.on("error", (error) => reject(failure(command, error.message)));
    child.on("close", (status) => {
      if (status === 0) resolve(phases(stdout));
      else reject(failure(command, stderr));
    });
  });
}

function phases(stdout: string): Map<string, number> {
  const found = [...stdout.matchAll(/^(\S+) (\d+)$/gm)];
  return new Map(found.map((match) => [match[1]!, Number(match[2])]));
}

function failure(command: Ext4Command, words: string): ProvisionError {
  return new ProvisionError(
    ErrorCode.PROVISION_INSTALL_HOOK_FAILED,
    `no disk image could be made of ${command.request.tarball}: ${words.trim().slice(-1000)}`,
  );
}
