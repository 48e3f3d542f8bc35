import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { packBootInitramfs, resolveBaseKernel, resolveImage } from "../src/runtime/images/index.ts";
import { resolveVmmBinary } from "../src/runtime/index.ts";
import { COLD, type Log, type Rows } from "./machines.ts";
import { timed } from "./statistics.ts";

/** The guest says a line for every line it gets: its first answer is what a user waits for. */
const ECHO = ["/bin/sh", "-c", "stty -echo; echo up; while read x; do echo got $x; done"];
const GIVE_UP_MS = 60_000;

/** A plain QEMU whose console we hold. */
class PlainQemu {
  private readonly child: ChildProcess;
  private readonly monitor: string;
  private output = "";

  constructor(args: string[], monitor: string) {
    this.monitor = monitor;
    const qmp = ["-qmp", `unix:${monitor},server=on,wait=off`];
    this.child = spawn("qemu-system-x86_64", [...args, ...qmp], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.child.stdout!.on("data", (chunk) => {
      this.output += chunk;
    });
    this.child.stdin!.on("error", () => {});
  }

  type(text: string): void {
    this.child.stdin!.write(text);
  }

  async saw(text: string): Promise<void> {
    const timer = AbortSignal.timeout(GIVE_UP_MS);
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`QEMU ended: ${this.output.slice(-500)}`);
      await once(this.child.stdout!, "data", { signal: timer });
    }
    this.output = "";
  }

  /** A command of QEMU's own monitor, to its end. */
  async command(line: string): Promise<void> {
    const socket = connect(this.monitor);
    const request = { execute: "human-monitor-command", arguments: { "command-line": line } };
    socket.write(`{"execute":"qmp_capabilities"}\n${JSON.stringify(request)}\n`);
    let answers = "";
    // After the greeting: the answer to the handshake, then what the command printed: nothing when it worked.
    while ((answers.match(/"return"/g)?.length ?? 0) < 2) {
      const [chunk] = await once(socket, "data", { signal: AbortSignal.timeout(GIVE_UP_MS) });
      answers += chunk;
    }
    socket.destroy();
    if (!answers.includes('"return": ""')) throw new Error(`${line}: ${answers}`);
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }
}

function machineArguments(directory: string, disk: string): string[] {
  const probe = spawnSync(resolveVmmBinary(), ["probe"], { encoding: "utf8" });
  const { tscKhz } = JSON.parse(probe.stdout) as { tscKhz: number };
  return [
    ..."-nodefaults -no-user-config -no-reboot -display none -M microvm -cpu max,-erms,-fsrm -m 512M".split(
      " ",
    ),
    ...["-accel", "tcg,thread=multi,tb-size=128"],
    ...["-kernel", resolveBaseKernel(), "-initrd", join(directory, "savevm.cpio")],
    ...[
      "-append",
      [
        "console=ttyS0 quiet mitigations=off audit=0 pci=off reboot=t panic=-1 i8042.noaux i8042.nokbd",
        "tsc=reliable no_timer_check norandmaps lsm=landlock,yama psi=0 noautogroup",
        "transparent_hugepage=madvise hardened_usercopy=off randomize_kstack_offset=off",
        `tsc_early_khz=${tscKhz} lpj=${tscKhz * 4}`,
      ].join(" "),
    ],
    ...["-drive", `file=${disk},if=none,id=state,format=qcow2`],
    ...["-device", "virtio-blk-device,drive=state", "-serial", "stdio"],
  ];
}

/** How QEMU alone would fork: save the machine into its disk, copy that, start another QEMU from it. */
export async function measureSavevm(
  rows: Rows,
  runs: number,
  directory: string,
  log: Log,
): Promise<void> {
  const [disk, copy] = [join(directory, "state.qcow2"), join(directory, "copy.qcow2")];
  packBootInitramfs({
    image: resolveImage("tiny"),
    config: { cmd: ECHO },
    out: join(directory, "savevm.cpio"),
  });
  for (let run = 0; run < runs; run++) {
    spawnSync("qemu-img", ["create", "-q", "-f", "qcow2", disk, "1G"]);
    const source = new PlainQemu(machineArguments(directory, disk), join(directory, "source.sock"));
    let other: PlainQemu | undefined;
    try {
      rows.add("QEMU alone: cold boot to first reply", await timed(() => source.saw("up")), COLD);
      const saved = await timed(() => source.command("savevm fork"));
      rows.add("QEMU alone: savevm (the machine stands still)", saved, COLD);
      const loaded = await timed(async () => {
        copyFileSync(disk, copy);
        other = new PlainQemu(
          [...machineArguments(directory, copy), "-loadvm", "fork"],
          join(directory, "other.sock"),
        );
        other.type("hello\n");
        await other.saw("got hello");
      });
      rows.add("QEMU alone: savevm and loadvm to first reply", saved + loaded, COLD);
    } finally {
      await Promise.all([source.end(), other?.end()]);
    }
    log(`QEMU savevm: run ${run + 1} of ${runs}`);
  }
}
