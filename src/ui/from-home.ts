import { homedir } from "node:os";

/** A path as people type it: `~` is their home, as no shell is there to say so. */
export function fromHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}
