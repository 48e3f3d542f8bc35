import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { waitForAgent } from "../control/agent-control.ts";
import { collect } from "../machine/console.ts";
import { childrenOf, identify, signalProcess, waitUntilGone } from "../machine/process-identity.ts";
import { createRunDir, type RunDir, removeRunDir } from "../machine/run-dir.ts";
import { spawnVmm } from "../machine/spawn-vmm.ts";
import {
  type MachineVariables,
  runDirVariables,
  vmmEnvironment,
} from "../machine/vmm-environment.ts";
import { startSaver } from "../snapshot/saver.ts";
import { publishTemplate, stagingDirectory, type Template } from "./store.ts";
import { noteVerified } from "./verified.ts";
import { warmUp } from "./warm-up.ts";

const BOOT_MS = 120_000;
const DEATH_MS = 10_000;
const SHOWN_TAIL_BYTES = 2000;

export interface BuildRequest {
  key: string;
  binary: string;
  vmmEnv?: Record<string, string>;
  /** Write what the machine boots from into its run directory; it is to wait for its configuration. */
  pack(runDir: RunDir): Promise<MachineVariables>;
}

/** Somebody wants this process to stop what it does: no reason to do it in another way. */
export class BuildInterrupted extends Error {}

/**
 * Cold-boot a machine that is in no list, save it when its agent answers, and end it. It dies with this
 * process, and its directory names us: whatever happens to us, nothing of it stays.
 */
export async function buildTemplate(request: BuildRequest): Promise<Template> {
  const staging = stagingDirectory(randomBytes(6).toString("hex"));
  const runDir = createRunDir();
  let end = async (): Promise<void> => {};
  try {
    mkdirSync(staging, { mode: 0o700 });
    const variables = await request.pack(runDir);
    const child = await spawnVmm({
      binary: request.binary,
      args: [],
      cwd: "/",
      env: vmmEnvironment(
        process.env,
        { ...runDirVariables(runDir), ...variables },
        request.vmmEnv,
      ),
      detached: true,
      pdeathsig: true,
    });
    const vmm = identify(child.pid);
    let over: { code: number | null; signal: NodeJS.Signals | null } | undefined;
    child.once("exit", (code, signal) => {
      over = { code, signal };
    });
    child.stdout!.resume();
    const console = collect(child.stderr!, SHOWN_TAIL_BYTES);
    end = async () => {
      const processes = [...(vmm ? [vmm] : []), ...childrenOf(child.pid)];
      for (const process of processes) signalProcess(process, "SIGKILL");
      await waitUntilGone(processes, DEATH_MS);
    };
    try {
      await waitForAgent(runDir.agentSocket, BOOT_MS, () => over !== undefined);
    } catch (error) {
      if (over?.signal) throw new BuildInterrupted(`it was ended by ${over.signal}`);
      await end();
      throw new Error(`${(error as Error).message}; its console ends with:\n${await console}`);
    }
    await warmUp(runDir);
    await startSaver(runDir.controlSocket, staging, false).saved;
    await end();
    const template = publishTemplate(staging, request.key, variables.MACHINEN_ROOTDISK);
    noteVerified(template);
    return template;
  } finally {
    await end();
    removeRunDir(runDir.path);
    rmSync(staging, { recursive: true, force: true });
  }
}
