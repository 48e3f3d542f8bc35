import { spawnSync } from "node:child_process";
import { ErrorCode, ProvisionError } from "../errors.ts";

let chosen: string[] | undefined;

/**
 * Words to put before a command so that it may give files any owner: none for root; else a user
 * namespace with the user's subordinate ids, else fakeroot. An image whose files all belonged to
 * one user would break sudo, su and every service in the guest.
 */
export function ownFilesPrefix(): string[] {
  if (process.getuid?.() === 0) return [];
  chosen ??= [["unshare", "--map-root-user", "--map-auto"], ["fakeroot"]].find(
    ([program, ...args]) =>
      spawnSync(program!, [...args, "true"], { stdio: "ignore" }).status === 0,
  );
  if (chosen) return chosen;
  throw new ProvisionError(
    ErrorCode.ROOTFS_IMG_TOOL_MISSING,
    "a disk image needs files of several owners, which this user cannot make: " +
      "run `apt-get install uidmap` (or `fakeroot`) as root",
  );
}
