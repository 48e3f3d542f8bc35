import { boot, type Machine } from "../src/runtime/index.ts";
import { criuImage } from "./criu-image.ts";
import { bootTiny, kill, touch } from "./machine-stages.ts";
import { firstReply, type Log, type Rows } from "./machines.ts";

export const HELD_MIB = 64;
const STEP_MS = 120_000;
const FORK = `fork by turns with CRIU, ${HELD_MIB} MiB touched since the boot`;

/** In the guest, a tmpfs: as fast as it gets. */
const PLACE = "/run/bench";
const PREPARE = `mkdir ${PLACE} && mount -t tmpfs none ${PLACE} && cd ${PLACE} && mkfifo pid reply`;
/** The holder tells its number once it holds everything. */
const START = `cd ${PLACE}
PERL_SIGNALS=unsafe setsid perl holder </dev/null >/dev/null 2>&1 &
read -r pid <pid && rm pid && echo $pid >pid`;

/**
 * Perl program: holds memory, and answers each SIGUSR1 with how often it was asked. Needs PERL_SIGNALS=unsafe: between
 * deciding to sleep and sleeping, Perl would hold a signal back for ever.
 */
export const HOLDER = `$held .= "x" x (1 << 20) for 1 .. ${HELD_MIB};
sub say_there { open my $to, ">", $_[0]; print $to "$_[1]\n" }
$SIG{USR1} = sub { say_there("reply", ++$asked) };
say_there("pid", $$);
sleep while 1`;

/**
 * The process is dumped and goes on; a copy is restored in a process namespace of its own, as both have one number,
 * and asked. Then the source is asked: both have counted one question more. Nothing sets the guest's clock meanwhile.
 */
const COPY = `set -e; exec 2>&1; cd ${PLACE}; rm -rf images; mkdir images; exec 3<>reply; read -r pid <pid
began=$EPOCHREALTIME
criu dump --tree $pid --images-dir images --leave-running --display-stats -v1
dumped=$EPOCHREALTIME
unshare --pid --fork --kill-child --mount-proc sh -c "criu restore --restore-detached --images-dir images -v1 &&
  kill -USR1 $pid || echo failed >reply; exec sleep infinity" &
read -r copy <&3
replied=$EPOCHREALTIME
kill -9 $!; wait || true
kill -USR1 $pid; read -r source <&3
echo "times $began $dumped $replied answers $copy $source"`;

/** Milliseconds of one copy. */
export interface CriuTimes {
  dump: number;
  /** How long the process stood still in the dump, as CRIU says. */
  still: number;
  restore: number;
}

/** Read what one copy printed; throws when the copy or its source did not go on from where the source stood. */
export function parseCopy(output: string, asked: number): CriuTimes {
  const still = /^Frozen time: (\d+) us$/m.exec(output)?.[1];
  const line = /^times (\S+) (\S+) (\S+) answers (\S+) (\S+)$/m.exec(output);
  const [began, dumped, replied, copy, source] = line?.slice(1).map(Number) ?? [];
  if (still === undefined || copy !== asked || source !== asked) {
    throw new Error(`CRIU made no copy that goes on with question ${asked}: ${output}`);
  }
  return {
    dump: (dumped! - began!) * 1000,
    still: Number(still) / 1000,
    restore: (replied! - dumped!) * 1000,
  };
}

async function startHolder(vm: Machine): Promise<void> {
  await vm.exec(PREPARE);
  await vm.writeFile(`${PLACE}/holder`, HOLDER);
  await vm.writeFile(`${PLACE}/copy`, COPY);
  await vm.exec(START, { execTimeoutMs: STEP_MS });
}

async function copyProcess(vm: Machine, asked: number): Promise<CriuTimes> {
  const { stdout } = await vm.exec(`bash ${PLACE}/copy`, { execTimeoutMs: STEP_MS });
  return parseCopy(stdout, asked);
}

/** What a runtime that checkpoints processes pays for what a fork does: the same memory, the same processor. */
export async function measureCriu(rows: Rows, runs: number, log: Log): Promise<void> {
  let image: string;
  try {
    image = await criuImage(log);
  } catch (error) {
    log(`CRIU: left out: no image with it could be made: ${(error as Error).message}`);
    return;
  }
  const machines: Machine[] = [];
  try {
    const vm = await boot({ image, memory: 1024, cmd: [], timeoutMs: null });
    machines.push(vm);
    await startHolder(vm);
    const parent = await bootTiny({ memory: 512 + HELD_MIB });
    machines.push(parent);
    await touch(parent, HELD_MIB);
    // The first time CRIU tries what the kernel can do, and QEMU translates both.
    await copyProcess(vm, 1);
    for (let run = 0; run < runs; run++) {
      rows.add(FORK, await firstReply(machines, () => parent.fork()));
      await kill(machines.splice(2));
      const { dump, still, restore } = await copyProcess(vm, run + 2);
      rows.add(`CRIU in a guest: dump of a process with ${HELD_MIB} MiB`, dump, FORK);
      rows.add("CRIU in a guest: the process stands still", still, FORK);
      rows.add("CRIU in a guest: restore to first reply", restore, "restore to first exec reply");
      rows.add("CRIU in a guest: dump and restore to first reply", dump + restore, FORK);
      log(`CRIU: run ${run + 1} of ${runs}`);
    }
  } finally {
    await kill(machines);
  }
}
