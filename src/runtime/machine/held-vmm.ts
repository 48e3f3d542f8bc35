import type { Socket } from "node:net";
import { identify, type ProcessIdentity, signalProcess } from "./process-identity.ts";
import { createRunDir, type RunDir, removeRunDir } from "./run-dir.ts";
import { type SpawnedVmm, spawnVmm } from "./spawn-vmm.ts";
import { type MachineVariables, runDirVariables, vmmEnvironment } from "./vmm-environment.ts";

/** How long a VMM may take to end when it is asked to. */
const ORDERLY_END_MS = 2000;

/** A VMM of ours that is in no list yet: it ends with this process, however that ends. */
export interface HeldVmm {
  binary: string;
  runDir: RunDir;
  env: Record<string, string>;
  child: SpawnedVmm;
  /** Resolves, to how, when it has ended. */
  ended: Promise<Error>;
  hasExited(): boolean;
  /** From now on it keeps nobody from ending. */
  rest(): void;
  /** It becomes a machine: what it leaves behind is that one's, and it keeps us from ending as any child does. */
  use(): void;
  drop(): void;
  /** Drop it; resolves when its VMM has ended and nothing of it is left. */
  end(): Promise<void>;
}

function keepUsAlive(child: SpawnedVmm, how: "ref" | "unref"): void {
  child[how]();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket)[how]();
}

/**
 * Start a VMM that is to become a machine later. It may outlive this process then, so the kernel cannot be
 * asked to end it with us: its leash does (see `letOffLeash`).
 */
export async function holdVmm(
  binary: string,
  variablesFor: (runDir: RunDir) => MachineVariables,
  vmmEnv?: Record<string, string>,
): Promise<HeldVmm> {
  const runDir = createRunDir();
  let env: Record<string, string>;
  let child: SpawnedVmm;
  try {
    const variables = { ...runDirVariables(runDir), ...variablesFor(runDir) };
    env = vmmEnvironment(process.env, variables, vmmEnv);
    const launch = { binary, args: [], cwd: process.cwd(), env, detached: false, pdeathsig: false };
    child = await spawnVmm(launch);
  } catch (error) {
    removeRunDir(runDir.path);
    throw error;
  }
  const vmm: ProcessIdentity | undefined = identify(child.pid);
  child.stdin!.on("error", () => {});
  const ended = new Promise<Error>((resolve) =>
    child.once("exit", (code, signal) => {
      resolve(new Error(`its VMM ended (${signal ?? `status ${code}`})`));
    }),
  );
  const onExit = () => removeRunDir(runDir.path);
  child.once("exit", onExit);
  let inUse = false;
  const drop = () => {
    if (vmm) signalProcess(vmm, "SIGTERM");
  };
  return {
    binary,
    runDir,
    env,
    child,
    ended,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    rest() {
      if (!inUse) keepUsAlive(child, "unref");
    },
    use() {
      inUse = true;
      child.off("exit", onExit);
      keepUsAlive(child, "ref");
    },
    drop,
    async end() {
      drop();
      const patience = setTimeout(() => vmm && signalProcess(vmm, "SIGKILL"), ORDERLY_END_MS);
      await ended;
      clearTimeout(patience);
    },
  };
}
