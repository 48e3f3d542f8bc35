import type { VmHandle } from "./vm-handle.ts";

/** Milliseconds until the machine prints its first byte, on either stream. Rejects when it ends silently. */
export function measureFirstByte(vm: Pick<VmHandle, "stdout" | "stderr">): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const streams = [vm.stdout, vm.stderr];
    let open = streams.length;
    const stop = () => {
      for (const stream of streams) {
        stream.off("data", onData);
        stream.off("end", onEnd);
      }
    };
    const onData = () => {
      stop();
      resolve(performance.now() - started);
    };
    const onEnd = () => {
      open -= 1;
      if (open > 0) return;
      stop();
      reject(new Error("the machine ended before it printed anything"));
    };
    for (const stream of streams) {
      stream.once("data", onData);
      stream.once("end", onEnd);
    }
  });
}
