import { resolve } from "node:path";
import type { RunDir } from "./run-dir.ts";

/** Variables that describe one machine: they must come from us, never from the caller's own environment. */
const PER_MACHINE = [
  "MACHINEN_KERNEL",
  "MACHINEN_DTB",
  "MACHINEN_INITRD",
  "MACHINEN_MEMORY",
  "MACHINEN_MEMORY_LIMIT",
  "MACHINEN_VSOCK",
  "MACHINEN_STATS_FILE",
  "MACHINEN_CONTROL",
  "MACHINEN_RUN_DIR",
  "MACHINEN_ROOTDISK",
  "MACHINEN_ROOTDISK_SIZE",
  "MACHINEN_SCRATCH_DISK",
  "MACHINEN_MOUNT_LOWER",
  "MACHINEN_MOUNT_UPPER",
  "MACHINEN_INCOMING",
  "MACHINEN_LAZY",
  "MACHINEN_VERIFY",
  "MACHINEN_BASE",
  "MACHINEN_TEMPLATE",
  "MACHINEN_RESUME",
  "MACHINEN_FORK_GROUP",
  "MACHINEN_FORK_WAIT",
  "MACHINEN_LEASH",
  "MACHINEN_FORWARD",
  "MACHINEN_LIVE_MOUNTS",
] as const;

/** `MACHINEN_NETWORK` is a switch of the user's: theirs stands where a machine has none of its own. */
export type MachineVariable = (typeof PER_MACHINE)[number] | "MACHINEN_NETWORK";
export type MachineVariables = Partial<Record<MachineVariable, string | undefined>>;

/** Variables that lead the VMM to its run directory. */
export function runDirVariables(runDir: RunDir): MachineVariables {
  return {
    MACHINEN_VSOCK: runDir.vsock,
    MACHINEN_STATS_FILE: runDir.stats,
    MACHINEN_CONTROL: runDir.controlSocket,
    MACHINEN_RUN_DIR: runDir.path,
  };
}

/** Environment of a VMM (docs/protocol.md, section 1). What the caller put into `vmmEnv` wins. */
export function vmmEnvironment(
  inherited: NodeJS.ProcessEnv,
  variables: MachineVariables,
  vmmEnv: Record<string, string> = {},
): Record<string, string> {
  const merged: NodeJS.ProcessEnv = { ...inherited };
  for (const name of PER_MACHINE) delete merged[name];
  Object.assign(merged, variables, vmmEnv);
  return Object.fromEntries(
    Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The sockets a VMM with this environment and working directory listens on, but for those in its run directory. */
export function ownSockets(env: Record<string, string>, cwd: string): string[] {
  const { MACHINEN_VSOCK: vsock = "", MACHINEN_CONTROL: control, MACHINEN_RUN_DIR: runDir } = env;
  const listed = vsock.split(",").map((part) => part.split(":").slice(2).join(":"));
  return [...listed, control ?? ""]
    .filter((path) => path !== "")
    .map((path) => resolve(cwd, path))
    .filter((path) => runDir === undefined || !path.startsWith(`${runDir}/`));
}

/** The socket a `MACHINEN_VSOCK` value gives to a guest port. */
export function vsockSocket(vsock: string | undefined, port: number): string | undefined {
  const prefix = `in:${port}:`;
  return vsock
    ?.split(",")
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length);
}
