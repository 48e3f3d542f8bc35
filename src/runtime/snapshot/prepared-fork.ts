import type { Socket } from "node:net";
import { identify, type ProcessIdentity, signalProcess } from "../machine/process-identity.ts";
import { createRunDir, type RunDir, removeRunDir } from "../machine/run-dir.ts";
import { type SpawnedVmm, spawnVmm } from "../machine/spawn-vmm.ts";
import { resolveVmmBinary } from "../machine/vmm-binary.ts";
import { runDirVariables, vmmEnvironment } from "../machine/vmm-environment.ts";
import { liveMountVariables } from "../mounts/live-mounts.ts";
import type { RegistryEntry } from "../registry/index.ts";

/** How long a VMM may take to end when it is asked to. */
const ORDERLY_END_MS = 2000;

/** A VMM that has everything ready for a fork of one machine and waits for the word. In no list yet. */
export interface PreparedFork {
  source: RegistryEntry;
  binary: string;
  runDir: RunDir;
  env: Record<string, string>;
  child: SpawnedVmm;
  /** Resolves when it waits for the word, or to why it never will. */
  settled: Promise<"ready" | Error>;
  /** Do it now, with these words for the agent. */
  go(resume: object): void;
  drop(): void;
  /** Drop it; resolves when its VMM has ended and nothing of it is left. */
  end(): Promise<void>;
}

function sayReady(child: SpawnedVmm): Promise<"ready"> {
  return new Promise((resolve) => {
    let seen = "";
    const onData = (chunk: Buffer) => {
      seen = (seen + chunk.toString("latin1")).slice(-64);
      if (!seen.includes("ready\n")) return;
      child.stdout!.off("data", onData);
      child.stdout!.pause();
      resolve("ready");
    };
    child.stdout!.on("data", onData);
  });
}

/** A fork that waits keeps nobody from ending; one that is being started, or used, does. */
function keepUsAlive(child: SpawnedVmm, how: "ref" | "unref"): void {
  child[how]();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket)[how]();
}

/**
 * Start the VMM of a fork to come. A fork outlives this process, so the kernel cannot be asked to end it
 * with us: the VMM ends when its standard input does before the word has come.
 */
export async function prepareFork(source: RegistryEntry): Promise<PreparedFork> {
  const binary = resolveVmmBinary();
  const runDir = createRunDir();
  const env = vmmEnvironment(process.env, {
    ...runDirVariables(runDir),
    MACHINEN_INCOMING: `fork:${source.controlPath}`,
    MACHINEN_FORK_WAIT: "1",
    ...liveMountVariables(source.liveMounts),
  });
  let child: SpawnedVmm;
  try {
    const launch = { binary, args: [], cwd: process.cwd(), env, detached: false, pdeathsig: false };
    child = await spawnVmm(launch);
  } catch (error) {
    removeRunDir(runDir.path);
    throw error;
  }
  const vmm: ProcessIdentity | undefined = identify(child.pid);
  child.stdin!.on("error", () => {});
  let inUse = false;
  const ended = new Promise<Error>((resolve) =>
    child.once("exit", (code, signal) => {
      resolve(new Error(`its VMM ended (${signal ?? `status ${code}`})`));
    }),
  );
  const onExit = () => removeRunDir(runDir.path);
  child.once("exit", onExit);
  const settled = Promise.race([sayReady(child), ended]);
  void settled.then(() => inUse || keepUsAlive(child, "unref"));
  const drop = () => {
    if (vmm) signalProcess(vmm, "SIGTERM");
  };
  return {
    source,
    binary,
    runDir,
    env,
    child,
    settled,
    go(resume) {
      child.off("exit", onExit);
      inUse = true;
      keepUsAlive(child, "ref");
      child.stdin!.write(`${JSON.stringify(resume)}\n`);
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
