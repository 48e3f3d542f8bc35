import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boot } from "../src/runtime/machine/boot.ts";
import type { VmHandle } from "../src/runtime/machine/vm-handle.ts";
import type { Row } from "./report.ts";

const MIB = 64;
const FILES = 500;

/** Work in a directory `$D`, each step upon what the one before left. The caches are empty before each. */
const steps: Array<[what: string, command: string]> = [
  [`write ${MIB} MiB and fsync`, `dd if=/dev/zero of=$D/big bs=1M count=${MIB} conv=fsync`],
  [`read ${MIB} MiB`, "dd if=$D/big of=/dev/null bs=1M"],
  [`read ${MIB} MiB again, cached`, "dd if=$D/big of=/dev/null bs=1M"],
  [
    `make ${FILES} files of 1 KiB`,
    `mkdir $D/t; i=0; while [ $i -lt ${FILES} ]; do i=$((i+1)); echo "$K" > $D/t/$i; done; sync $D/t/1`,
  ],
  [`list ${FILES} files with their attributes`, "ls -l $D/t | wc -l"],
  [`read ${FILES} files`, "for f in $D/t/*; do read -r line < $f; done"],
  [`remove ${FILES} files`, "rm -r $D/t $D/big"],
];

async function time(
  vm: VmHandle,
  directory: string,
  what: string,
  command: string,
): Promise<number> {
  const drop = what.endsWith("cached") ? "" : "sync; echo 3 > /proc/sys/vm/drop_caches;";
  const script = `D=${directory}; K=$(head -c 1023 /dev/zero | tr '\\0' x); ${drop} A=$(cut -d' ' -f1 /proc/uptime); { ${command}; } >/dev/null 2>&1; B=$(cut -d' ' -f1 /proc/uptime); echo "$B $A" | awk '{print int(($1 - $2) * 1000)}'`;
  const { stdout } = await vm.exec(script, { execTimeoutMs: 300_000 });
  return Number(stdout);
}

/** A live mount beside the guest's own disk: the same programs, the same guest, by turns. */
export async function measureLiveMounts(
  runs: number,
  progress: (line: string) => void,
): Promise<Row[]> {
  const scratch = mkdtempSync(join(tmpdir(), "machinen-bench-"));
  const share = join(scratch, "share");
  mkdirSync(share);
  const vm = await boot({
    image: "tiny",
    memory: 512,
    cmd: [],
    liveMounts: [{ host: share, guest: "/mnt/share" }],
  });
  const places = [
    ["guest's disk", "/root"],
    ["live mount", "/mnt/share"],
  ] as const;
  const values = new Map<string, number[]>();
  try {
    for (let run = 1; run <= runs; run++) {
      progress(`live mounts: run ${run} of ${runs}`);
      for (const [where, directory] of places) {
        for (const [what, command] of steps) {
          const name = `${where}: ${what}`;
          values.set(name, [...(values.get(name) ?? []), await time(vm, directory, what, command)]);
        }
      }
    }
  } finally {
    await vm.kill();
    rmSync(scratch, { recursive: true, force: true });
  }
  return steps.flatMap(([what]) =>
    places.map(([where]): Row => {
      const row = {
        what: `${where}: ${what}`,
        unit: "ms",
        values: values.get(`${where}: ${what}`)!,
      };
      return where === "live mount" ? { ...row, against: `guest's disk: ${what}` } : row;
    }),
  );
}
