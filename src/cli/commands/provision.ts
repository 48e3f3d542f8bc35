import { readFileSync } from "node:fs";
import type { VmHandle } from "../../runtime/machine/index.ts";
import { type Command, type Context, defineCommand, jsonFlag } from "../command.ts";
import { guestCommandLine } from "../guest-command.ts";
import { abortable } from "../interruptible.ts";
import { formatBytes, formatDuration, printJson, printLine } from "../output.ts";
import { usage } from "../split-arguments.ts";
import { installWithProgress } from "./install.ts";

const MIB = 1024 * 1024;
const DEFAULT_SIZE_MIB = 8192;
/** In a tmpfs: the image is not to have it. */
const SCRIPT = "/run/machinen-build/script";

function readPairs(given: string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (given ?? []).map((text) => {
      const at = text.indexOf("=");
      if (at < 1)
        throw usage("PARSE_FLAG_MALFORMED", `--env needs KEY=value, not "${text}"`, provision);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** `./site:/srv/www`: what follows the last colon before a slash is the guest's. */
function readCopies(given: string[] | undefined): { host: string; guest: string }[] {
  return (given ?? []).map((text) => {
    const [, host, guest] = /^(.+):(\/[^:]*)$/s.exec(text) ?? [];
    if (host !== undefined && guest !== undefined) return { host, guest };
    throw usage(
      "PARSE_FLAG_MALFORMED",
      `--copy needs <path here>:/<path in the image>, not "${text}"`,
      provision,
    );
  });
}

/** A JSON array is a program and its arguments; anything else is a line for the guest's shell. */
function readCmd(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  if (!text.trimStart().startsWith("[")) return ["/bin/sh", "-c", text];
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  } catch {
    // Said below.
  }
  throw usage("PARSE_FLAG_MALFORMED", `--cmd is not a JSON array of strings: ${text}`, provision);
}

function positive(name: string, value: number | undefined): number | undefined {
  if (value === undefined || value > 0) return value;
  throw usage("PARSE_FLAG_MALFORMED", `--${name} must be at least 1`, provision);
}

function readScript(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw usage("PARSE_FLAG_MALFORMED", `--script: ${(error as Error).message}`, provision);
  }
}

/** What makes the image: a script of the host's, then the command line. A failing one ends the build. */
function installer(script: string | undefined, command: string[]): (vm: VmHandle) => Promise<void> {
  const content = script === undefined ? undefined : readScript(script);
  return async (vm) => {
    if (content !== undefined) {
      await vm.writeFile(SCRIPT, content, { mode: 0o755 });
      await vm.exec(SCRIPT, { execTimeoutMs: null });
    }
    if (command.length > 0) await vm.exec(guestCommandLine(command), { execTimeoutMs: null });
  };
}

/** The build's own output, as it comes; the boot's is in the log. */
function show({ stderr }: Context) {
  return (event: { source: string; chunk?: Buffer }) => {
    if (event.source.startsWith("exec-") && event.chunk) stderr.write(event.chunk);
  };
}

export const provision: Command = defineCommand({
  name: "provision",
  summary: "Build an image: boot a base, run commands in it, keep its files",
  details:
    "The output is a rootfs tarball for machinen boot --image. It appears when the build has\n" +
    "succeeded; what the commands print goes to standard error. The build has this host's proxies,\n" +
    "certificates and apt settings; nothing of them gets into the image.",
  arguments: [
    { name: "output", description: "tarball to write, for example dev.tar.gz", required: true },
  ],
  guestCommand: "after-dashes",
  flags: {
    base: {
      type: "string",
      shortFlag: "b",
      placeholder: "image",
      description: "debian (default), tiny, or the path of a rootfs tarball",
    },
    copy: {
      type: "string",
      placeholder: "path here:/path",
      description:
        "put a file or directory of this host into the image before all else; repeatable",
      many: true,
    },
    script: {
      type: "string",
      shortFlag: "s",
      placeholder: "file",
      description: "script of this host to run in the base, before the command",
    },
    cmd: {
      type: "string",
      shortFlag: "c",
      placeholder: "command",
      description: "what machines of this image run by default: a command line, or a JSON array",
    },
    env: {
      type: "string",
      shortFlag: "e",
      placeholder: "KEY=value",
      description: "environment of that command; repeatable",
      many: true,
    },
    cwd: { type: "string", placeholder: "path", description: "directory that command starts in" },
    memory: {
      type: "number",
      shortFlag: "m",
      placeholder: "MiB",
      description: "memory of the build; default: half of the host's",
    },
    size: {
      type: "number",
      placeholder: "MiB",
      description: `how large the image may be, unpacked; default ${DEFAULT_SIZE_MIB}`,
    },
    timeout: {
      type: "number",
      shortFlag: "t",
      placeholder: "seconds",
      description: "how long the build may take; default: for ever",
    },
    quiet: {
      type: "boolean",
      shortFlag: "q",
      description: "show nothing of what the build prints",
    },
    json: jsonFlag,
  },
  examples: [
    {
      command:
        "machinen provision dev.tar.gz -- 'apt-get update && apt-get install -y git build-essential'",
      does: "Debian with git and a compiler",
    },
    {
      command:
        "machinen provision app.tar.gz --base dev.tar.gz --script setup.sh --cmd /srv/app/run",
      does: "a further image on top of it, with a command of its own",
    },
    {
      command: "machinen provision site.tar.gz --copy ./site:/srv/www --cmd /srv/www/serve",
      does: "with a directory of this host in it",
    },
    { command: "machinen boot work --image dev.tar.gz", does: "a machine of that image" },
  ],
  async run({ flags, args, guestCommand }, context) {
    const copy = readCopies(flags.copy);
    if (copy.length === 0 && flags.script === undefined && guestCommand.length === 0) {
      throw usage(
        "PARSE_ARGUMENT_MISSING",
        "provision needs something to do: --copy, --script <file>, or a command after --",
        provision,
      );
    }
    const size = positive("size", flags.size) ?? DEFAULT_SIZE_MIB;
    const seconds = positive("timeout", flags.timeout);
    const base = flags.base ?? "debian";
    const options = {
      base,
      copy,
      out: args[0]!,
      cmd: readCmd(flags.cmd),
      env: readPairs(flags.env),
      guestCwd: flags.cwd,
      memory: flags.memory,
      scratchDiskSizeBytes: size * MIB,
      timeoutMs: seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000,
      install: installer(flags.script, guestCommand),
      onLog: flags.quiet ? undefined : show(context),
      onWarning: (message: string) => printLine(context.stderr, `warning: ${message}`),
    };
    if (base === "debian" || base === "tiny") await installWithProgress([base], context);
    const { provision: build } = await import("../../runtime/provision/index.ts");
    const result = await abortable((signal) => build({ ...options, signal }));
    if (flags.json) printJson(context.stdout, result);
    else {
      const took = formatDuration(result.elapsedMs);
      printLine(
        context.stdout,
        `${result.imagePath} is ready (${formatBytes(result.sizeBytes)}, ${took})`,
      );
    }
    return 0;
  },
});
