import { resolveBaseKernel, resolveImage } from "../src/runtime/images/index.ts";
import { boot, type VmHandle } from "../src/runtime/index.ts";
import type { Row } from "./report.ts";
import { timed } from "./statistics.ts";

const bootTiny = (): Promise<VmHandle> =>
  boot({
    image: resolveImage("tiny"),
    kernel: resolveBaseKernel(),
    rootDisk: false,
    memory: 512,
    cmd: ["/bin/sleep", "infinity"],
    timeoutMs: null,
  });

/** What a user waits for with machines: cold boot, exec, fork, fork of a fork; all through the public API. */
export async function measureMachines(runs: number, log: (line: string) => void): Promise<Row[]> {
  const cold: number[] = [];
  const exec: number[] = [];
  const first: number[] = [];
  const second: number[] = [];
  for (let run = 0; run < runs; run++) {
    let vm: VmHandle | undefined;
    let fork: VmHandle | undefined;
    let grandchild: VmHandle | undefined;
    try {
      cold.push(
        await timed(async () => {
          vm = await bootTiny();
          await vm.exec("true");
        }),
      );
      for (let i = 0; i < 10; i++) exec.push(await timed(() => vm!.exec("true")));
      first.push(
        await timed(async () => {
          fork = await vm!.fork();
          await fork.exec("true");
        }),
      );
      second.push(
        await timed(async () => {
          grandchild = await fork!.fork();
          await grandchild.exec("true");
        }),
      );
    } finally {
      await Promise.all([vm, fork, grandchild].map((machine) => machine?.kill()));
    }
    log(`machines: run ${run + 1} of ${runs}`);
  }
  const against = "cold boot to first exec reply";
  return [
    { what: against, unit: "ms", values: cold },
    { what: "exec round trip", unit: "ms", values: exec, against },
    { what: "fork to first exec reply", unit: "ms", values: first, against },
    { what: "fork of a fork to first exec reply", unit: "ms", values: second, against },
  ];
}
