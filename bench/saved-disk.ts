import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const layerNumber = (name: string): number => Number(/-(\d+)\./.exec(name)![1]);

/** The first disk of a saved machine, its layers joined, as a raw image beside them. */
function flatten(directory: string): string {
  let chain: object | undefined;
  const layers = readdirSync(directory).filter((name) => name.startsWith("disk0-"));
  for (const name of layers.sort((a, b) => layerNumber(a) - layerNumber(b))) {
    const file = { driver: "file", filename: join(directory, name) };
    chain = chain ? { driver: "qcow2", file, backing: chain } : { driver: "raw", file };
    if (name.endsWith("qcow2")) execFileSync("qemu-img", ["check", "-q", file.filename]);
  }
  const flat = join(directory, "flat");
  execFileSync("qemu-img", ["convert", "-O", "raw", `json:${JSON.stringify(chain)}`, flat]);
  return flat;
}

/**
 * What e2fsck says of the first disk in a directory that `machinen-vmm save` wrote; throws when it is not
 * clean. With `mounted` the journal is replayed first, and nothing else repaired, as the next mount would.
 */
export function checkSavedDisk(directory: string, mounted = false): string {
  const flat = flatten(directory);
  if (mounted) spawnSync("/sbin/e2fsck", ["-fp", "-E", "journal_only", flat]);
  const { status, stdout, stderr } = spawnSync("/sbin/e2fsck", ["-fn", flat], { encoding: "utf8" });
  if (status !== 0) throw new Error(`e2fsck: status ${status}: ${stdout}${stderr}`);
  return stdout;
}
