import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { packageRoot } from "../../../src/runtime/package-root.ts";

export interface OtherProcess {
  process: ChildProcess;
  /** What it printed, up to the end of the first line. */
  firstLine: string;
}

/**
 * Run TypeScript that imports from `/src/runtime/` in a process of its own. Node 20 runs no TypeScript, so it is
 * bundled first; the bundle lies in the package, where the runtime finds its programs. `around` makes another command of
 * the one that runs it.
 */
export async function runInOtherProcess(
  source: string,
  around = (command: string[]) => command,
): Promise<OtherProcess> {
  const outfile = join(packageRoot(), "test", "build", `${randomBytes(6).toString("hex")}.mjs`);
  await build({
    stdin: { contents: source, loader: "ts", resolveDir: join(packageRoot(), "src", "runtime") },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
  });
  const [program, ...args] = around([process.execPath, outfile]);
  const child = spawn(program!, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  try {
    return await new Promise((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        output += chunk;
        if (output.includes("\n")) resolve({ process: child, firstLine: output.split("\n")[0]! });
      });
      child.once("close", (code) =>
        reject(new Error(`it ended with ${code} and said "${output}"`)),
      );
    });
  } finally {
    rmSync(outfile, { force: true });
  }
}
