import { BootError } from "../errors.ts";
import { VsockExec } from "../exec/index.ts";
import { VsockFiles } from "../files/index.ts";
import type { Mount } from "../machine/boot-options.ts";
import { filesSocket } from "../machine/guest-files.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { shellQuote } from "../shell-quote.ts";

/** Where in a guest the copies lie, each in a directory of its own. */
const STORE = "/var/lib/machinen/mounts";

/** The machine's own commands may have been given another one. */
const FIND_PROGRAMS = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH; cd /";

async function run(entry: RegistryEntry, script: string): Promise<string> {
  const command = `${FIND_PROGRAMS}; ${script}`;
  const { exitCode, stdout, stderr } = await VsockExec.run(entry.socketPath, command);
  if (exitCode !== 0) throw new Error(stderr.trim() || `status ${exitCode}`);
  return stdout.trim();
}

/**
 * Give a directory of the host to a machine that runs already. It cannot have a disk added: the copy lies on
 * its own root and is bound to its place. What was there is covered; programs that use it go on with it.
 *
 * @throws {BootError} BOOT_PACK_FAILED
 */
export async function copyMountIn(entry: RegistryEntry, { host, guest }: Mount): Promise<void> {
  try {
    const own = await run(entry, `mkdir -p ${STORE} && mktemp -d ${STORE}/XXXXXX`);
    // Made with the mode the directory has on the host.
    const copy = `${own}/data`;
    await VsockFiles.push(filesSocket(entry), host, copy);
    const [from, at] = [shellQuote(copy), shellQuote(guest)];
    await run(
      entry,
      `mkdir -p ${at} && mount -o bind ${from} ${at} && mount -o remount,bind,nosuid,nodev ${at}`,
    );
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new BootError(
      "BOOT_PACK_FAILED",
      `mount ${host}:${guest}: it could not be copied into the machine: ${reason}`,
      { cause },
    );
  }
}
