import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boot, type Machine } from "../src/runtime/index.ts";
import type { Row } from "./report.ts";
import { checkSavedDisk } from "./saved-disk.ts";
import { timed } from "./statistics.ts";

const HELD_BYTES = 24 * 2 ** 20;

/** Each file is written before its checksum; at /run/stop the writer ends between two pairs. */
const writer = (directory: string, flush: string): string =>
  `mkdir -p ${directory}; i=0; while [ ! -e /run/stop ]; do i=$((i + 1)); n=$((i % 20))
   head -c 262144 /dev/urandom > ${directory}/$n; md5sum ${directory}/$n > ${directory}/sum.$n; ${flush}
   done; touch ${directory}/over`;

const inBackground = (script: string): string => `setsid sh -c '${script}' >/dev/null 2>&1 &\n`;

/** A processor that is never idle, a disk and memory that are always being written, and memory that is held. */
const LOAD = `head -c ${HELD_BYTES} /dev/urandom > /dev/shm/held; md5sum /dev/shm/held > /dev/shm/held.sum
${inBackground("while [ ! -e /run/stop ]; do :; done")}
${inBackground(writer("/root/soak", "sync"))}
${inBackground(writer("/dev/shm/soak", ":"))}
while [ ! -s /root/soak/sum.3 ] || [ ! -s /dev/shm/soak/sum.3 ]; do sleep 0.1; done`;

const SUMS = "md5sum -c /dev/shm/held.sum /dev/shm/soak/sum.* /root/soak/sum.*";

/** Fails when one checksum is wrong, also after the disk has been read again. */
const CHECK = `touch /run/stop
while [ ! -e /root/soak/over ] || [ ! -e /dev/shm/soak/over ]; do sleep 0.1; done
${SUMS} && sync && echo 3 > /proc/sys/vm/drop_caches && ${SUMS}`;

/** Throws what is wrong with the memory or the disk of a machine under load, which ends. */
async function checkWhole(vm: Machine, outDir: string): Promise<void> {
  try {
    await vm.exec(CHECK);
    const { imgDir } = await vm.snapshot({ outDir });
    checkSavedDisk(imgDir, true);
  } finally {
    await vm.kill();
    rmSync(outDir, { recursive: true, force: true });
  }
}

export interface Soak {
  /** One fork each: milliseconds until it is handed out. */
  times: number[];
  /** What was wrong, a line for each machine. */
  failures: string[];
}

/** Fork a machine of this image under load again and again, and look at all that each fork holds; at last at the machine itself. */
export async function soak(
  forks: number,
  image: string,
  log: (line: string) => void,
): Promise<Soak> {
  const directory = mkdtempSync(join(tmpdir(), "machinen-soak-"));
  const result: Soak = { times: [], failures: [] };
  const check = async (what: string, vm: Machine) => {
    await checkWhole(vm, join(directory, "bundle")).catch((error: Error) =>
      result.failures.push(`${what}: ${error.message}`),
    );
  };
  let parent: Machine | undefined;
  try {
    parent = await boot({ image, rootDisk: true, memory: 512, cmd: [], timeoutMs: null });
    await parent.exec(LOAD);
    for (let run = 1; run <= forks; run++) {
      try {
        let fork: Machine | undefined;
        result.times.push(
          await timed(async () => {
            fork = await parent!.fork();
          }),
        );
        await check(`fork ${run}`, fork!);
      } catch (error) {
        result.failures.push(`fork ${run}: ${(error as Error).message}`);
      }
      log(`soak: fork ${run} of ${forks}, ${result.failures.length} not whole`);
    }
    await check("the parent", parent);
    return result;
  } finally {
    await parent?.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The soak as a row of the report; throws when anything was not whole. */
export async function measureSoak(
  forks: number,
  log: (line: string) => void,
  image: string,
): Promise<Row[]> {
  const { times, failures } = await soak(forks, image, log);
  if (failures.length > 0) throw new Error(failures.join("\n"));
  const what = `fork, busy ${image} guest writing to disk and memory (${forks} of ${forks} whole)`;
  return [{ what, unit: "ms", values: times }];
}
