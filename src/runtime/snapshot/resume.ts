import { randomBytes } from "node:crypto";
import { agentRequest } from "../control/agent-control.ts";
import type { MachinenError } from "../errors.ts";
import { type OnLog, PhaseTimer } from "../log.ts";
import { killMachine } from "../machine/end-machine.ts";
import { sweepOrphans } from "../machine/gc.ts";
import { detachedHandle, ownHandle } from "../machine/handle.ts";
import { hostnameFor } from "../machine/hostname.ts";
import { waitForStartedAgent } from "../machine/readiness.ts";
import { createRunDir, removeRunDir } from "../machine/run-dir.ts";
import { type StartedMachine, startMachine } from "../machine/start-machine.ts";
import type { VmHandle } from "../machine/vm-handle.ts";
import { claimName, type RegistryEntry } from "../registry/index.ts";

const ENTROPY_BYTES = 64;

export interface ResumeRequest {
  /** Value of `MACHINEN_INCOMING`. */
  incoming: string;
  binary: string;
  args?: string[];
  cwd: string;
  vmmEnv?: Record<string, string>;
  name?: string;
  sourceName?: string;
  record: Partial<RegistryEntry>;
  detached: boolean;
  pdeathsig: boolean;
  timeoutMs?: number | null;
  onLog?: OnLog;
  /** The error to throw when the machine does not come up. */
  failure: (reason: string) => MachinenError;
}

/** What two machines with the same past must not share: random numbers, a name, a stopped clock. */
async function giveIdentity(agentSocket: string, hostname: string): Promise<void> {
  const entropy = randomBytes(ENTROPY_BYTES).toString("hex");
  await Promise.all([
    agentRequest(agentSocket, `ENTROPY ${entropy}`),
    agentRequest(agentSocket, `HOSTNAME ${hostname}`),
  ]);
  const now = Date.now();
  await agentRequest(agentSocket, `TIME ${Math.floor(now / 1000)} ${(now % 1000) * 1_000_000}`);
}

/** Start a machine from the state of another one; resolves when it is a machine of its own. */
export async function resumeMachine(request: ResumeRequest): Promise<VmHandle> {
  const { name, sourceName, detached } = request;
  const phases = new PhaseTimer("restore", request.onLog);
  const claim = name === undefined ? undefined : claimName(name);
  const autoName = (pid: number) => (sourceName === undefined ? undefined : `${sourceName}/${pid}`);
  let runDirPath: string | undefined;
  try {
    sweepOrphans();
    const runDir = createRunDir();
    runDirPath = runDir.path;
    // Registered any earlier, it could outlive us with the random numbers and the clock of another machine.
    const beforeRegistering = async (started: StartedMachine) => {
      phases.mark("spawn");
      const { entry } = started;
      await waitForStartedAgent(started, runDir.agentSocket, request.failure);
      phases.mark("agent");
      try {
        entry.hostname = hostnameFor(entry.name);
        await giveIdentity(runDir.agentSocket, entry.hostname);
      } catch (error) {
        await killMachine(entry);
        const reason = (error as Error).message;
        throw request.failure(`the guest did not take its new identity: ${reason}`);
      }
      phases.mark("identity");
    };
    const started = await startMachine({
      ...request,
      runDir,
      variables: { MACHINEN_INCOMING: request.incoming },
      name: claim ? { claim, name: name! } : autoName,
      beforeRegistering,
    });
    return detached
      ? detachedHandle(started, request.onLog)
      : ownHandle(started, request.timeoutMs, request.onLog);
  } catch (error) {
    if (runDirPath) removeRunDir(runDirPath);
    throw error;
  } finally {
    claim?.release();
    phases.flush();
  }
}
