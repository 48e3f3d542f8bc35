import { parseArgs } from "node:util";
import { measureFiles } from "./files.ts";
import { measureLiveMounts } from "./live-mount.ts";
import { measureMachines } from "./machines.ts";
import { measureMultiplexers } from "./multiplexer.ts";
import { type Row, summarise, table } from "./report.ts";
import { measureSoak } from "./soak.ts";

const usage = `npm run bench -- [--only machines|files|multiplexer|live-mount|soak] [--runs N] [--image I] [--json]

Everything is measured side by side in one run; compare ratios, not milliseconds.
soak (only when named): N forks of a machine under load, each looked at whole; the machine is of --image:
tiny (default), debian, or the path of a rootfs tarball. It is on a disk.`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "10" },
    image: { type: "string", default: "tiny" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const runs = Number(values.runs);
const parts = {
  machines: measureMachines,
  files: measureFiles,
  multiplexer: measureMultiplexers,
  "live-mount": measureLiveMounts,
  soak: measureSoak,
};
const chosen =
  values.only === undefined ? ["machines", "files", "multiplexer", "live-mount"] : [values.only];
if (
  !chosen.every((name) => Object.hasOwn(parts, name)) ||
  values.help ||
  !Number.isInteger(runs) ||
  runs < 1
) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const rows: Row[] = [];
for (const name of chosen)
  rows.push(...(await parts[name as keyof typeof parts](runs, progress, values.image)));
const summaries = summarise(rows);
console.log(values.json ? JSON.stringify(summaries, null, 2) : table(summaries));
process.exit(0);
