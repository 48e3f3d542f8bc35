import { type FSWatcher, mkdirSync, watch } from "node:fs";
import { namesDir, registryRoot } from "./paths.ts";

/**
 * Calls back when a machine has been recorded, forgotten or given another name: soon after, and once
 * or several times. A machine that was killed changes nothing here until somebody looks. Returns how
 * to stop; undefined when the system cannot tell (a read-only directory, too many watches).
 */
export function watchRegistry(onChange: () => void): (() => void) | undefined {
  const watchers: FSWatcher[] = [];
  const stop = (): void => {
    for (const watcher of watchers) watcher.close();
  };
  try {
    mkdirSync(namesDir(), { recursive: true, mode: 0o700 });
    for (const directory of [registryRoot(), namesDir()]) {
      const watcher = watch(directory, { persistent: false }, onChange);
      watchers.push(watcher);
      watcher.on("error", stop);
    }
    return stop;
  } catch {
    stop();
    return undefined;
  }
}
