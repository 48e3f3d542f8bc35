import { type BenchArguments, readArguments, USAGE } from "./arguments.ts";
import { measureFiles } from "./files.ts";
import { measureLiveMounts } from "./live-mount.ts";
import { measureMachines } from "./machines.ts";
import { measureMultiplexers } from "./multiplexer.ts";
import { type Row, summarise, table } from "./report.ts";
import { measureSoak } from "./soak.ts";

function argumentsOrEnd(): BenchArguments {
  try {
    const read = readArguments(process.argv.slice(2));
    if (!read.help) return read;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const parts = {
  machines: measureMachines,
  files: measureFiles,
  multiplexer: measureMultiplexers,
  "live-mount": measureLiveMounts,
  soak: measureSoak,
};
const chosen = argumentsOrEnd();
const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const rows: Row[] = [];
for (const part of chosen.parts)
  rows.push(...(await parts[part](chosen.runs, progress, chosen.image)));
const summaries = summarise(rows);
console.log(chosen.json ? JSON.stringify(summaries, null, 2) : table(summaries));
process.exit(0);
