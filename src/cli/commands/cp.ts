import type { CopyOptions } from "../../runtime/files/index.ts";
import { type Context, defineCommand } from "../command.ts";
import { Interrupted } from "../report-error.ts";
import { usage } from "../split-arguments.ts";
import { resolveTarget } from "../target.ts";

/** `machine:path`, or a path here when there is no colon before the first slash. */
export function splitMachinePath(word: string): { machine?: string; path: string } {
  const match = /^([^/:]+):(.*)$/s.exec(word);
  if (!match || word.startsWith(".")) return { path: word };
  return { machine: match[1]!, path: match[2] === "" ? "." : match[2]! };
}

/** A relative path on a machine starts at its root, as in a container. */
function guestPath(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

async function copy(
  from: string,
  to: string,
  options: CopyOptions,
  context: Context,
): Promise<void> {
  const source = splitMachinePath(from);
  const target = splitMachinePath(to);
  if ((source.machine === undefined) === (target.machine === undefined)) {
    const message =
      source.machine === undefined
        ? "one of the two paths must be on a machine: <machine>:<path>"
        : "one of the two paths must be on this computer";
    throw usage("PARSE_FLAG_MALFORMED", message, cp);
  }
  const host = await context.host();
  if (target.machine !== undefined) {
    const { id } = await resolveTarget(host, target.machine);
    const input = source.path === "-" ? context.stdin : source.path;
    await host.copyIn(id, input, guestPath(target.path), options);
  } else {
    if (target.path === "-" && context.stdout.isTTY)
      throw usage("PARSE_FLAG_MALFORMED", "an archive is nothing for a terminal: pipe it", cp);
    const { id } = await resolveTarget(host, source.machine!);
    const output = target.path === "-" ? context.stdout : target.path;
    await host.copyOut(id, guestPath(source.path), output, options);
  }
}

export const cp = defineCommand({
  name: "cp",
  summary: "Copy files and directories to or from a machine",
  details:
    "One of the two is <machine>:<path>. Into an existing directory a copy goes under its own name,\n" +
    "else under the name given. `directory/.` means what the directory holds. `-` is a tar archive\n" +
    "on standard input or output. Modes, times and links are kept; a link is copied as a link. A copy\n" +
    "here belongs to you, a copy on the machine to its root. A path here with a colon needs ./ before it.",
  arguments: [
    {
      name: "from",
      description: "what to copy: <machine>:<path>, a path here, or -",
      required: true,
    },
    { name: "to", description: "where to: a path here or -, or <machine>:<path>", required: true },
  ],
  flags: {
    archive: {
      type: "boolean",
      shortFlag: "a",
      description: "keep owner and group too, as numbers",
    },
    exclude: {
      type: "string",
      placeholder: "patterns",
      description: "leave out what these shell patterns match, separated by commas",
    },
  },
  examples: [
    { command: "machinen cp ./site web:/srv", does: "becomes /srv/site" },
    { command: "machinen cp ./site/. web:/srv", does: "fills /srv with what is in it" },
    { command: "machinen cp web:/var/log ./logs --exclude '*.gz'", does: "and back" },
    { command: "machinen cp web:/etc - | tar t", does: "as a tar archive" },
  ],
  async run({ flags, args }, context) {
    const abort = new AbortController();
    const stop = (): void => abort.abort(new Interrupted(130));
    process.once("SIGINT", stop);
    try {
      const excludes = flags.exclude?.split(",").filter((pattern) => pattern !== "");
      const options = { owner: flags.archive, excludes, signal: abort.signal };
      await copy(args[0]!, args[1]!, options, context);
    } finally {
      process.off("SIGINT", stop);
    }
    return 0;
  },
});
