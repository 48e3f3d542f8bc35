import { spawnSync } from "node:child_process";

/** What becomes `command`, which alone sees a file system of so many MiB at `directory`. */
export function withSmallDisk(directory: string, mib: number, command: string[]): string[] {
  const own = process.getuid?.() === 0 ? [] : ["--map-current-user", "--keep-caps"];
  const privately = ["unshare", ...own, "--mount"];
  // In a chroot the root directory is no mount point, and its propagation cannot be changed.
  const works = spawnSync(privately[0]!, [...privately.slice(1), "true"]).status === 0;
  const how = works ? [] : ["--propagation", "unchanged"];
  const script = `mount -t tmpfs -o size=${mib}m,mode=1777 none '${directory}' && exec "$@"`;
  return [...privately, ...how, "sh", "-c", script, "sh", ...command];
}
