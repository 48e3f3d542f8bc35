import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Log, Rows } from "./machines.ts";
import type { Row } from "./report.ts";
import { bootSshGuest, type SshGuest, whyNoSsh } from "./ssh-baseline.ts";
import { timed } from "./statistics.ts";

const MIB = 2 ** 20;
const STREAM_MIB = 100;
/** A tmpfs: what is compared is the way there, not an emulated disk. */
const GUEST = "/mnt/bench";
const SHARE = "/mnt/share";
const SHARED_MIB = 64;

/** `count` files of `size` bytes that nothing can compress, at most 100 in a directory. */
function makeTree(root: string, count: number, size: number): void {
  const bytes = randomBytes(size);
  for (let file = 0; file < count; file++) {
    const directory = join(root, String(Math.floor(file / 100)));
    if (file % 100 === 0) mkdirSync(directory, { recursive: true });
    bytes.writeUInt32LE(file, 0);
    writeFileSync(join(directory, String(file)), bytes);
  }
}

/** Run a shell command line of the host to its end. */
async function sh(script: string, ...args: string[]): Promise<void> {
  const child = spawn("bash", ["-c", `set -o pipefail; ${script}`, "bench", ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise((resolve, reject) =>
    child.once("exit", resolve).once("error", reject),
  );
  if (code !== 0) throw new Error(`failed with ${code}: ${script}`);
}

async function measureCommands(rows: Rows, { vm, ssh }: SshGuest): Promise<void> {
  for (let i = 0; i < 5; i++) {
    rows.add("ssh round trip, connection open", await timed(() => sh('"$@" true', ...ssh)));
    rows.add(
      "exec round trip, Debian",
      await timed(() => vm.exec("true")),
      "ssh round trip, connection open",
    );
  }
  const flood = `head -c ${STREAM_MIB * MIB} /dev/zero`;
  const [ours, theirs] = [`${STREAM_MIB} MiB of output`, `${STREAM_MIB} MiB of output, ssh`];
  rows.add(theirs, await timed(() => sh(`"$@" ${flood}`, ...ssh)));
  rows.add(ours, await timed(() => vm.execRaw(flood)), theirs);
}

async function measureTree(rows: Rows, guest: SshGuest, what: string, tree: string): Promise<void> {
  const { vm, ssh } = guest;
  const there = `${GUEST}/tree`;
  // A directory each, removed at the end: a disk that is still busy with removing slows down what comes next.
  const backs = { tar: `${tree}-by-tar`, own: `${tree}-by-pull` };
  const cleanGuest = () => vm.exec(`rm -rf ${there}`);
  await cleanGuest();
  const pushTar = () =>
    sh(`tar -C ${tree} -c . | "$@" 'mkdir -p ${there} && tar -C ${there} -xp'`, ...ssh);
  rows.add(`push ${what}, tar over ssh`, await timed(pushTar));
  await cleanGuest();
  rows.add(`push ${what}`, await timed(() => vm.push(tree, there)), `push ${what}, tar over ssh`);
  mkdirSync(backs.tar);
  const pullTar = () => sh(`"$@" 'tar -C ${there} -c .' | tar -C ${backs.tar} -xp`, ...ssh);
  rows.add(`pull ${what}, tar over ssh`, await timed(pullTar));
  rows.add(
    `pull ${what}`,
    await timed(() => vm.pull(there, backs.own)),
    `pull ${what}, tar over ssh`,
  );
  await cleanGuest();
  for (const back of Object.values(backs)) rmSync(back, { recursive: true });
}

/** The same bytes by a live mount of the host's directory: the guest reads and writes a file of it. */
async function measureShare(rows: Rows, { vm, ssh }: SshGuest, share: string): Promise<void> {
  const file = join(share, "file");
  const [read, write] = [`guest reads ${SHARED_MIB} MiB`, `guest writes ${SHARED_MIB} MiB`];
  writeFileSync(file, randomBytes(SHARED_MIB * MIB));
  rows.add(`${read}, ssh`, await timed(() => sh(`"$@" 'cat >/dev/null' <${file}`, ...ssh)));
  await vm.exec("sync; echo 3 >/proc/sys/vm/drop_caches");
  const reads = () => vm.exec(`cat ${SHARE}/file >/dev/null`);
  rows.add(`${read}, live mount`, await timed(reads), `${read}, ssh`);
  const zeros = `head -c ${SHARED_MIB * MIB} /dev/zero`;
  rows.add(`${write}, ssh`, await timed(() => sh(`"$@" ${zeros} >${file}; sync ${file}`, ...ssh)));
  const writes = () => vm.exec(`${zeros} >${SHARE}/file; sync ${SHARE}/file`);
  rows.add(`${write}, live mount`, await timed(writes), `${write}, ssh`);
}

/** Commands and files of a Debian guest, beside ssh into the same guest. */
export async function measureFiles(runs: number, log: Log): Promise<Row[]> {
  const missing = whyNoSsh();
  if (missing) {
    log(`files: not measured: ${missing}`);
    return [];
  }
  const rows = new Rows();
  const directory = mkdtempSync(join(tmpdir(), "machinen-bench-"));
  const large = join(directory, "large");
  const small = join(directory, "small");
  const share = join(directory, "share");
  mkdirSync(share);
  makeTree(large, 100, MIB);
  makeTree(small, 10_000, 1024);
  let guest: SshGuest | undefined;
  try {
    guest = await bootSshGuest([{ host: share, guest: SHARE }]);
    await guest.vm.exec(
      `mkdir -p ${GUEST} && mount -t tmpfs -o size=400m,nr_inodes=0 none ${GUEST}`,
    );
    for (let run = 0; run < runs; run++) {
      await measureCommands(rows, guest);
      await measureTree(rows, guest, "100 files of 1 MiB", large);
      await measureTree(rows, guest, "10,000 files of 1 KiB", small);
      await measureShare(rows, guest, share);
      log(`files: run ${run + 1} of ${runs}`);
    }
    return rows.list();
  } finally {
    await guest?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
