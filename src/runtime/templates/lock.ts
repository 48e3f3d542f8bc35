import { rmSync } from "node:fs";
import { join } from "node:path";
import { withInstallLock } from "../assets/install-lock.ts";
import { templatesRoot } from "./store.ts";

/**
 * Run `work` while no other process builds the template of this key. The kernel frees the lock of a
 * builder that dies, so that the next in line takes over.
 */
export async function withBuildLock<T>(key: string, work: () => Promise<T>): Promise<T> {
  const directory = join(templatesRoot(), ".locks", key);
  return withInstallLock(
    directory,
    () => {},
    async () => {
      try {
        return await work();
      } finally {
        // Whoever waits for the removed lock looks for the template before it builds one.
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );
}
