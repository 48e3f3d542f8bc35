import { type FileDifference, filePatch } from "../../runtime/compare/index.ts";
import type { Host, MachineInfo } from "../../runtime/host/host.ts";
import { isUnsafe, printable } from "../../runtime/printable.ts";
import { type Context, defineCommand, jsonFlag } from "../command.ts";
import { differenceText, type Names } from "../difference-text.ts";
import { printJson, printLine } from "../output.ts";
import { usage } from "../split-arguments.ts";
import { machineName, resolveTarget } from "../target.ts";
import { withTimer } from "../with-timer.ts";

function isIn(path: string, places: string[]): boolean {
  return places.length === 0 || places.some((place) => `${path}/`.startsWith(`${place}/`));
}

/** `/etc/` and `/etc` are the same place. */
const trimmed = (path: string) => path.replace(/\/+$/, "");

async function patchOf(
  host: Host,
  file: FileDifference,
  a: MachineInfo,
  b: MachineInfo,
): Promise<string | undefined> {
  if (file.change === "changed" && !file.aspects.includes("content")) return undefined;
  const label = (machine: MachineInfo) => `${machineName(machine)}:${printable(file.path)}`;
  const result = await filePatch(file, { a: label(a), b: label(b) }, (side, limit) =>
    host.readFile((side === "a" ? a : b).id, file.path, limit),
  );
  return "patch" in result ? result.patch : undefined;
}

/** Tabs and spaces are part of a patch; what steers a terminal is shown as a question mark. */
function harmless(patch: string): string {
  const keep = (character: string) =>
    character === "\n" || character === "\t" || !isUnsafe(character.codePointAt(0)!);
  return [...patch].map((character) => (keep(character) ? character : "?")).join("");
}

async function printPatches(
  { stdout }: Context,
  host: Host,
  files: FileDifference[],
  a: MachineInfo,
  b: MachineInfo,
): Promise<void> {
  for (const file of files) {
    const patch = await patchOf(host, file, a, b);
    if (patch === undefined) continue;
    const body = patch.slice(patch.indexOf("\n") + 1);
    stdout.write(stdout.isTTY ? harmless(body) : body);
  }
}

export const diff = defineCommand({
  name: "diff",
  summary: "Show what differs between two machines: files, processes, sessions",
  details:
    "Of two forks it says what was touched since they were one, and where. A: only in the second,\nD: only in the first, C: changed. Live mounts and what the kernel makes up are left out.",
  arguments: [
    { name: "a", description: "name or pid of a machine", required: true },
    { name: "b", description: "name or pid of the other one", required: true },
    { name: "path", description: "only files at or below these", many: true },
  ],
  flags: {
    patch: {
      type: "boolean",
      shortFlag: "p",
      description: "show the lines that differ in text files",
    },
    exitCode: { type: "boolean", description: "exit with 1 when the machines differ" },
    json: jsonFlag,
  },
  examples: [
    { command: "machinen diff web web.1", does: "what the two did since the fork" },
    { command: "machinen diff web web.1 /etc --patch", does: "lines that differ below /etc" },
    { command: "machinen diff web web.1 --json | jq '.files[].path'", does: "for scripts" },
  ],
  async run({ flags, args }, context) {
    const host = await context.host();
    const a = await resolveTarget(host, args[0]!);
    const b = await resolveTarget(host, args[1]!);
    if (a.id === b.id)
      throw usage("PARSE_ARGUMENT_UNEXPECTED", "diff needs two machines, not one twice", diff);
    const places = args.slice(2).map(trimmed);
    const whole = await withTimer(
      context,
      `comparing ${machineName(a)} and ${machineName(b)}`,
      () => host.compare(a.id, b.id),
    );
    const files = whole.files.filter(({ path }) => isIn(path, places));
    const difference =
      places.length === 0 ? whole : { ...whole, files, processes: [], sessions: [] };
    const names: Names = { a: machineName(a), b: machineName(b) };
    if (flags.json) printJson(context.stdout, difference);
    else {
      printLine(context.stdout, differenceText(difference, names));
      if (flags.patch) await printPatches(context, host, files, a, b);
    }
    const { processes, sessions } = difference;
    const same = files.length + processes.length + sessions.length === 0;
    return flags.exitCode && !same ? 1 : 0;
  },
});
