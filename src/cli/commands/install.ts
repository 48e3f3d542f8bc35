import {
  ASSET_KINDS,
  type AssetKind,
  type AssetStatus,
  assetStatus,
  installAssets,
} from "../../runtime/assets/index.ts";
import { type Context, defineCommand, jsonFlag } from "../command.ts";
import { abortable } from "../interruptible.ts";
import { nearest } from "../nearest.ts";
import { formatBytes, printJson, printLine } from "../output.ts";
import { usage } from "../split-arguments.ts";

function parseKind(word: string): AssetKind {
  const kind = ASSET_KINDS.find((known) => known === word);
  if (kind) return kind;
  const meant = nearest(word, [...ASSET_KINDS]);
  throw usage(
    "PARSE_ARGUMENT_UNEXPECTED",
    `there is nothing called "${word}" to install${meant ? `; did you mean ${meant}?` : ""}`,
    install,
  );
}

function describe({ kind, state, version, path, sizeBytes, problem }: AssetStatus): string {
  const what =
    state === "present" ? (version ?? "put there by hand") : (problem ?? "not installed");
  const size = state === "present" ? `, ${formatBytes(sizeBytes)}` : "";
  return `${kind}: ${state} (${what}${size}) ${path}`;
}

/** Installs what is missing of `kinds`; every step is a line on stderr. A signal ends it when what it runs has cleaned up. */
export async function installWithProgress(
  kinds: AssetKind[],
  { stderr }: Pick<Context, "stderr">,
  force = false,
): Promise<AssetStatus[]> {
  const start = Date.now();
  const onProgress = (step: string) =>
    printLine(stderr, `${((Date.now() - start) / 1000).toFixed(1).padStart(6)} s  ${step}`);
  return abortable(() => installAssets({ kinds, onProgress, force }));
}

export const install = defineCommand({
  name: "install",
  summary: "Fetch the guest kernel, build the base images",
  arguments: [
    { name: "kernel|tiny|debian", description: "what to install", required: true, many: true },
  ],
  flags: {
    check: { type: "boolean", description: "install nothing; exit 1 when something is missing" },
    force: { type: "boolean", description: "make it anew even when it is there" },
    json: jsonFlag,
  },
  examples: [
    { command: "machinen install kernel tiny", does: "what a first boot needs" },
    { command: "machinen install debian", does: "the Debian base (about half a minute)" },
  ],
  async run({ flags, args }, context) {
    const kinds = [...new Set(args.map(parseKind))];
    const status = flags.check
      ? assetStatus().filter(({ kind }) => kinds.includes(kind))
      : await installWithProgress(kinds, context, flags.force);
    if (flags.json) printJson(context.stdout, status);
    else for (const one of status) printLine(context.stdout, describe(one));
    return status.every(({ state }) => state === "present") ? 0 : 1;
  },
});
