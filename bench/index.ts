import { parseArgs } from "node:util";
import { measureMachines } from "./machines.ts";
import { measureMultiplexers } from "./multiplexer.ts";
import { type Row, summarise, table } from "./report.ts";

const usage = `npm run bench -- [--only machines|multiplexer] [--runs N] [--json]

Everything is measured side by side in one run; compare ratios, not milliseconds.`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const runs = Number(values.runs);
if (values.help || !Number.isInteger(runs) || runs < 1) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const rows: Row[] = [];
if (values.only !== "multiplexer") rows.push(...(await measureMachines(runs, progress)));
if (values.only !== "machines") rows.push(...(await measureMultiplexers(runs, progress)));
const summaries = summarise(rows);
console.log(values.json ? JSON.stringify(summaries, null, 2) : table(summaries));
process.exit(0);
