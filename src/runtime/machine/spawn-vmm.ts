import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import type { Socket } from "node:net";
import { BootError } from "../errors.ts";
import { builtVmmBinary } from "./vmm-binary.ts";

export interface VmmLaunch {
  binary: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Without standard input. */
  detached: boolean;
  /** Die with this process. */
  pdeathsig: boolean;
}

/** Our VMM can arrange a program's death with its parent; without it the program is started plainly. */
function dieWithParentShim(): string | undefined {
  const shim = builtVmmBinary();
  try {
    accessSync(shim, constants.X_OK);
    return shim;
  } catch {
    return undefined;
  }
}

/** A command line that makes `program` end with this process. */
export function dieWithUs(program: string, args: string[]): { program: string; args: string[] } {
  const shim = dieWithParentShim();
  if (shim === undefined) return { program, args };
  return { program: shim, args: ["die-with-parent", String(process.pid), program, ...args] };
}

export type SpawnedVmm = ChildProcess & { pid: number };

/** Where a VMM that is to outlive us is held until others can find it. */
const LEASH_FD = 3;

/** From now on the machine goes on without us: the registry leads to it. */
export function letOffLeash(child: ChildProcess): void {
  (child.stdio[LEASH_FD] as Socket | undefined)?.end("\n");
}

/** Start the VMM. The pid stays the same when the shim becomes the program. Ours ends with us until `letOffLeash`. */
export async function spawnVmm(launch: VmmLaunch): Promise<SpawnedVmm> {
  const { program, args } = launch.pdeathsig
    ? dieWithUs(launch.binary, launch.args)
    : { program: launch.binary, args: launch.args };
  const child = spawn(program, args, {
    cwd: launch.cwd,
    env: launch.pdeathsig ? launch.env : { ...launch.env, MACHINEN_LEASH: String(LEASH_FD) },
    // Else Ctrl-C in our terminal would end a machine that is to outlive us.
    detached: launch.detached || !launch.pdeathsig,
    stdio: [
      launch.detached ? "ignore" : "pipe",
      "pipe",
      "pipe",
      ...(launch.pdeathsig ? [] : (["pipe"] as const)),
    ],
  });
  const leash = child.stdio[LEASH_FD] as Socket | undefined;
  // Holding it must not keep our program from ending, nor losing it fail the program.
  leash?.on("error", () => {}).unref();
  if (child.pid !== undefined) return child as SpawnedVmm;
  const [error] = (await once(child, "error")) as [Error];
  throw new BootError(
    "BOOT_VMM_MISSING",
    `${launch.binary} could not be started: ${error.message}`,
    {
      cause: error,
    },
  );
}
