// One set-up at a time in a checkout.
import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * The kernel drops a flock with its holder, so a killed set-up never blocks the next one. Node has
 * no flock of its own: util-linux's `flock` holds it for as long as its standard input stays open.
 * Where there is none (macOS), two set-ups at once are the user's own business.
 */
export async function withSetupLock(file, work) {
  const holder = spawn("flock", [file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const held = once(holder.stdout, "data");
  const absent = once(holder, "error");
  const patience = setTimeout(
    () => process.stderr.write("Waiting for another set-up of this checkout to end ...\n"),
    500,
  );
  try {
    await Promise.race([held, absent]);
    clearTimeout(patience);
    return await work();
  } finally {
    clearTimeout(patience);
    holder.stdin?.end();
  }
}
