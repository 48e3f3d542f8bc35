import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { assetNames } from "../assets/assets-dir.ts";
import { BootError, ErrorCode, ProvisionError } from "../errors.ts";

/**
 * The Debian base tarball: the given path, else the one in `MACHINEN_ASSETS_DIR`, else the one in
 * `~/.machinen/assets`.
 *
 * @throws {ProvisionError} PROVISION_BASE_NOT_FOUND | PROVISION_ASSETS_DIR_INVALID
 */
export function resolveBaseRootfs(explicit?: string, cwd?: string): string {
  const { debian } = assetNames();
  const code = ErrorCode.PROVISION_BASE_NOT_FOUND;
  return findAsset("the Debian base", debian, "machinen install debian", code, explicit, cwd);
}

/**
 * The guest kernel; looked for like the base.
 *
 * @throws {ProvisionError} PROVISION_KERNEL_NOT_FOUND | PROVISION_ASSETS_DIR_INVALID
 */
export function resolveBaseKernel(explicit?: string, cwd?: string): string {
  const { kernel } = assetNames();
  const code = ErrorCode.PROVISION_KERNEL_NOT_FOUND;
  return findAsset("the guest kernel", kernel, "machinen install kernel", code, explicit, cwd);
}

/**
 * The guest's device tree, for machines that take one (QEMU makes its own for those we start);
 * looked for like the base.
 *
 * @throws {ProvisionError} PROVISION_DTB_NOT_FOUND | PROVISION_ASSETS_DIR_INVALID
 */
export function resolveBaseDtb(explicit?: string, cwd?: string): string {
  const { dtb } = assetNames();
  const code = ErrorCode.PROVISION_DTB_NOT_FOUND;
  return findAsset("the device tree", dtb, undefined, code, explicit, cwd);
}

/**
 * The tarball an image name stands for: `tiny`, `debian`, or a path.
 *
 * @throws {BootError} BOOT_IMAGE_NOT_FOUND
 * @throws {ProvisionError} PROVISION_BASE_NOT_FOUND | PROVISION_ASSETS_DIR_INVALID
 */
export function resolveImage(image: string, cwd: string = process.cwd()): string {
  if (image === "tiny" || image === "debian") {
    const code = ErrorCode.PROVISION_BASE_NOT_FOUND;
    const command = `machinen install ${image}`;
    return findAsset(`the ${image} base`, assetNames()[image], command, code, undefined, cwd);
  }
  const path = resolve(cwd, image);
  if (isFile(path)) return path;
  throw new BootError(
    ErrorCode.BOOT_IMAGE_NOT_FOUND,
    `there is no image ${path}: give \`tiny\`, \`debian\` or the path of a rootfs tarball`,
  );
}

function findAsset(
  what: string,
  name: string,
  command: string | undefined,
  code: ErrorCode,
  explicit: string | undefined,
  cwd: string = process.cwd(),
): string {
  if (explicit !== undefined) {
    const path = resolve(cwd, explicit);
    if (isFile(path)) return path;
    throw new ProvisionError(code, `${what} was not found at ${path}`);
  }
  const override = process.env.MACHINEN_ASSETS_DIR;
  if (override && !statSync(override, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ProvisionError(
      ErrorCode.PROVISION_ASSETS_DIR_INVALID,
      `MACHINEN_ASSETS_DIR is ${override}, which is not a directory`,
    );
  }
  const home = join(homedir(), ".machinen", "assets");
  const places = (override ? [resolve(override), home] : [home]).map((place) => join(place, name));
  const found = places.find(isFile);
  if (found) return found;
  const next = command ? `: run \`${command}\`` : "";
  throw new ProvisionError(code, `${what} was not found at ${places.join(" or ")}${next}`);
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
