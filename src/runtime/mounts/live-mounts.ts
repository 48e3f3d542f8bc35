import { posix, resolve } from "node:path";
import { BootError } from "../errors.ts";
import type { LiveMount } from "../machine/boot-options.ts";
import type { MachineVariables } from "../machine/vmm-environment.ts";

/** A live mount with nothing left open: absolute paths, and its mode. */
export type SharedDirectory = Required<LiveMount>;

/** One for each live mount, in their order: a machine made from another keeps the places of its mounts. */
const FIRST_PORT = 2000;

/** What the options mean. They have been checked. Pure but for the working directory. */
export function resolveLiveMounts(
  liveMounts: LiveMount[] | undefined,
  cwd: string,
): SharedDirectory[] {
  return (liveMounts ?? []).map(({ host, guest, mode = "rw" }) => ({
    host: resolve(cwd, host),
    guest: posix.normalize(guest).replace(/\/+$/, ""),
    mode,
  }));
}

/**
 * The live mounts of a machine made from one that had some: overrides replace the host directory, and the mode
 * when they name one. A source without any gives no places to override, so they are then new ones. Pure.
 *
 * @throws {BootError} BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN
 */
export function overrideLiveMounts(
  recorded: SharedDirectory[] | undefined,
  overrides: LiveMount[] = [],
): LiveMount[] {
  if (recorded === undefined || recorded.length === 0) return overrides;
  const wanted = new Map(
    overrides.map((share) => [posix.normalize(share.guest).replace(/\/+$/, ""), share]),
  );
  const merged = recorded.map((share) => {
    const override = wanted.get(share.guest);
    wanted.delete(share.guest);
    return override ? { ...share, host: override.host, mode: override.mode ?? share.mode } : share;
  });
  const [unknown] = wanted.keys();
  if (unknown !== undefined) {
    throw new BootError(
      "BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN",
      `there is no live mount at ${unknown} to override; there is ${recorded.map(({ guest }) => guest).join(", ")}`,
    );
  }
  return merged;
}

/** What the guest is told: where, and which port leads to the server. */
export function guestLiveMounts(
  shares: SharedDirectory[],
): Array<{ guest: string; port: number; mode: "ro" | "rw" }> {
  return shares.map(({ guest, mode }, index) => ({ guest, port: FIRST_PORT + index, mode }));
}

/** What the VMM is told: what to serve on which port. */
export function liveMountVariables(shares: SharedDirectory[] | undefined): MachineVariables {
  if (shares === undefined || shares.length === 0) return {};
  const list = shares.map(({ host, mode }, index) => ({ port: FIRST_PORT + index, host, mode }));
  return { MACHINEN_LIVE_MOUNTS: JSON.stringify(list) };
}

/** What the registry and a bundle record. */
export function liveMountRecord(shares: SharedDirectory[]): { liveMounts?: SharedDirectory[] } {
  return shares.length > 0 ? { liveMounts: shares } : {};
}
