import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode, MkinitramfsError } from "../errors.ts";
import { packageRoot } from "../package-root.ts";

/** The built PID 1 that every initramfs starts. */
export function defaultInitPath(): string {
  return join(packageRoot(), "guest", "build", "machinen-init");
}

export function readInit(path: string = defaultInitPath()): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new MkinitramfsError(
      ErrorCode.MKINITRAMFS_INIT_MISSING,
      `the guest's init ${path} cannot be read: build it with \`make -C ${join(packageRoot(), "guest")}\``,
      { cause },
    );
  }
}
