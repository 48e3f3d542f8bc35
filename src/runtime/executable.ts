import { accessSync, constants, statSync } from "node:fs";

/** Whether this process may run the file. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
