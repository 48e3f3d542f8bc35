import { closeSync, fsyncSync, openSync } from "node:fs";

/** Wait until a file, or the names in a directory, are on disk. */
export function syncFile(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
