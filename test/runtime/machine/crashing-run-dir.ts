import { crashAtChange } from "../registry/crash-at-change.ts";

/** Makes a run directory and removes it, and kills itself at the n-th change. Prints `whole` at the end. */
crashAtChange(Number(process.argv[2]));
const { createRunDir, removeRunDir } = await import("../../../src/runtime/machine/run-dir.ts");
removeRunDir(createRunDir().path);
process.stdout.write("whole\n");
