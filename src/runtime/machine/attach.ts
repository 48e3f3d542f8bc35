import { RegistryError } from "../errors.ts";
import type { OnLog } from "../log.ts";
import { findByName, readEntry } from "../registry/index.ts";
import type { AttachOptions } from "./boot-options.ts";
import { processOf } from "./end-machine.ts";
import { remoteHandle } from "./handle.ts";
import type { Machine } from "./vm-handle.ts";

/** The console, and what else happens to a machine, is its booter's to hear. */
function execOnly(onLog: OnLog | undefined): OnLog | undefined {
  return onLog && ((event) => event.source.startsWith("exec-") && onLog(event));
}

/** A handle of a running machine, whoever booted it. @throws {RegistryError} REGISTRY_VM_NOT_FOUND */
export async function attach(opts: AttachOptions): Promise<Machine> {
  const { pid, name } = opts;
  if ((pid === undefined) === (name === undefined)) {
    throw new RegistryError("REGISTRY_VM_NOT_FOUND", "attach() takes exactly one of pid and name");
  }
  const entry = pid !== undefined ? readEntry(pid) : findByName(name!);
  if (!entry || !processOf(entry)) {
    const target = pid !== undefined ? `pid ${pid}` : `the name ${JSON.stringify(name)}`;
    throw new RegistryError("REGISTRY_VM_NOT_FOUND", `no machine with ${target} is running`);
  }
  return remoteHandle(entry, execOnly(opts.onLog));
}
