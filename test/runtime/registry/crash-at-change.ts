import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const CHANGES = [
  "mkdirSync",
  "writeFileSync",
  "linkSync",
  "renameSync",
  "unlinkSync",
  "rmdirSync",
  "rmSync",
] as const;

/** Have this process kill itself at the n-th change it makes to the file system from now on. */
export function crashAtChange(crashAt: number): void {
  let changes = 0;
  for (const name of CHANGES) {
    const real = fs[name] as (...args: unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...args: unknown[]) => {
        changes += 1;
        if (changes === crashAt) process.kill(process.pid, "SIGKILL");
        return real(...args);
      },
    });
  }
  syncBuiltinESMExports();
}
