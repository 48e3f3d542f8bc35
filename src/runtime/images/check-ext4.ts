import { spawnSync } from "node:child_process";
import { findE2fsck } from "./host-tools.ts";

/** Whether a file system is whole, as far as this host can tell. It is only read. */
export function isSoundExt4(image: string): boolean {
  const e2fsck = findE2fsck();
  return (
    e2fsck === undefined || spawnSync(e2fsck, ["-fn", image], { stdio: "ignore" }).status === 0
  );
}
