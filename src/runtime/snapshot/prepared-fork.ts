import { type HeldVmm, holdVmm } from "../machine/held-vmm.ts";
import type { SpawnedVmm } from "../machine/spawn-vmm.ts";
import { resolveVmmBinary } from "../machine/vmm-binary.ts";
import { liveMountVariables } from "../mounts/live-mounts.ts";
import type { RegistryEntry } from "../registry/index.ts";

/** A VMM that has everything ready for a fork of one machine and waits for the word. */
export interface PreparedFork extends HeldVmm {
  source: RegistryEntry;
  /** Resolves when it waits for the word, or to why it never will. */
  settled: Promise<"ready" | Error>;
  /** Do it now, with these words for the agent. */
  go(resume: object): void;
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

/** Start the VMM of a fork to come. */
export async function prepareFork(source: RegistryEntry): Promise<PreparedFork> {
  const held = await holdVmm(resolveVmmBinary(), () => ({
    MACHINEN_INCOMING: `fork:${source.controlPath}`,
    MACHINEN_FORK_WAIT: "1",
    ...liveMountVariables(source.liveMounts),
  }));
  const settled = Promise.race([sayReady(held.child), held.ended]);
  void settled.then(() => held.rest());
  return {
    ...held,
    source,
    settled,
    go(resume) {
      held.use();
      held.child.stdin!.write(`${JSON.stringify(resume)}\n`);
    },
  };
}
