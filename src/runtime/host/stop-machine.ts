import { agentRequest } from "../control/agent-control.ts";
import { RequestError } from "../control/line-client.ts";
import { vmmQuit } from "../control/vmm-control.ts";
import { killMachine, processOf } from "../machine/end-machine.ts";
import { waitUntilGone } from "../machine/process-identity.ts";
import { agentSocketIn } from "../machine/run-dir.ts";
import type { RegistryEntry } from "../registry/index.ts";

const QUIT_MS = 2000;
const DEFAULT_GRACE_MS = 3000;

/** Whether the request arrived: a connection that breaks afterwards is what a power-off looks like. */
function arrived(request: Promise<unknown>): Promise<boolean> {
  return request.then(
    () => true,
    (error: unknown) => error instanceof RequestError && error.reason === "lost",
  );
}

/** Ask the guest, then its VMM, then the kernel: afterwards the machine is gone with all it left. */
export async function stopMachine(
  entry: RegistryEntry,
  graceMs: number = DEFAULT_GRACE_MS,
): Promise<void> {
  const vmm = processOf(entry);
  const deadline = performance.now() + graceMs;
  if (vmm && entry.runDir && graceMs > 0) {
    const agent = agentSocketIn(entry.runDir);
    if (await arrived(agentRequest(agent, "POWEROFF", graceMs))) {
      await waitUntilGone([vmm], deadline - performance.now());
    }
  }
  if (vmm && entry.controlPath && processOf(entry)) {
    if (await arrived(vmmQuit(entry.controlPath, QUIT_MS))) await waitUntilGone([vmm], QUIT_MS);
  }
  await killMachine(entry);
}
