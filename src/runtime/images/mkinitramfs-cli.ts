import { ErrorCode, ParseError } from "../errors.ts";
import {
  packBundle,
  packMinimal,
  packRootfs,
  packTinyBundle,
  packWorkspace,
} from "./mkinitramfs.ts";

type Values = Map<string, string[]>;

/** Flags of each mode; those ending in `*` may be given more than once. */
const FLAGS: Record<string, string[]> = {
  minimal: ["--out", "--init", "--config"],
  rootfs: ["--rootfs", "--out", "--init", "--config", "--exclude*"],
  bundle: ["--bundle", "--out", "--base", "--mount", "--init", "--exclude*", "--env*"],
  "tiny-bundle": ["--bundle", "--out", "--mount-guest", "--init", "--env*"],
  workspace: ["--workspace", "--out", "--mountpoint", "--exclude*", "--max-mb"],
};

/**
 * `<minimal|rootfs|bundle|tiny-bundle|workspace> --out FILE [flags]`: the packers from a command
 * line (arguments without the program's own name).
 *
 * @throws {ParseError} PARSE_FLAG_UNKNOWN | PARSE_FLAG_MISSING_VALUE | PARSE_FLAG_DUPLICATE |
 * PARSE_FLAG_MALFORMED
 */
export function cli(argv: string[]): void {
  const [mode = "", ...rest] = argv;
  const flags = FLAGS[mode];
  if (!flags) {
    const modes = Object.keys(FLAGS).join(", ");
    throw new ParseError(ErrorCode.PARSE_FLAG_UNKNOWN, `the mode must be one of ${modes}`);
  }
  const values = parseFlags(rest, flags);
  const one = (flag: string) => values.get(flag)?.[0];
  const need = (flag: string) => one(flag) ?? missing(flag);
  const out = need("--out");
  const initPath = one("--init");
  const config = one("--config");
  const excludes = values.get("--exclude");

  if (mode === "minimal") packMinimal({ out, initPath, config });
  else if (mode === "rootfs")
    packRootfs({ rootfs: need("--rootfs"), out, initPath, config, excludes });
  else if (mode === "bundle") {
    const mount = pair(one("--mount"), ":", "--mount HOST:GUEST");
    packBundle({
      bundle: need("--bundle"),
      out,
      base: one("--base"),
      mount: mount && { host: mount[0], guest: mount[1] },
      env: environment(values),
      excludes,
      initPath,
    });
  } else if (mode === "tiny-bundle") {
    const mountGuest = one("--mount-guest");
    packTinyBundle({
      bundle: need("--bundle"),
      out,
      env: environment(values),
      mountGuest,
      initPath,
    });
  } else {
    const workspace = need("--workspace");
    packWorkspace({
      workspace,
      out,
      mountpoint: one("--mountpoint"),
      excludes,
      maxMb: maxMb(values),
    });
  }
}

function parseFlags(args: string[], flags: string[]): Values {
  const values: Values = new Map();
  for (let at = 0; at < args.length; at++) {
    const [flag, inline] = pair(args[at], "=") ?? [args[at]!, undefined];
    const repeats = flags.includes(`${flag}*`);
    if (!repeats && !flags.includes(flag))
      throw new ParseError(ErrorCode.PARSE_FLAG_UNKNOWN, `unknown flag ${flag}`);
    if (!repeats && values.has(flag))
      throw new ParseError(ErrorCode.PARSE_FLAG_DUPLICATE, `${flag} is given twice`);
    const value = inline ?? args[++at];
    if (value === undefined) missing(flag);
    values.set(flag, [...(values.get(flag) ?? []), value]);
  }
  return values;
}

function environment(values: Values): Record<string, string> {
  const pairs = values.get("--env") ?? [];
  return Object.fromEntries(pairs.map((text) => pair(text, "=", "--env KEY=VALUE")!));
}

function maxMb(values: Values): number | undefined {
  const text = values.get("--max-mb")?.[0];
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]*$/.test(text)) return Number(text);
  throw new ParseError(ErrorCode.PARSE_FLAG_MALFORMED, `--max-mb takes a number, not ${text}`);
}

/** The parts of a text around the first separator; without one, undefined, or an error when `usage` is given. */
function pair(
  text: string | undefined,
  separator: string,
  usage?: string,
): [string, string] | undefined {
  if (text === undefined) return undefined;
  const at = text.indexOf(separator);
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  if (usage) throw new ParseError(ErrorCode.PARSE_FLAG_MALFORMED, `expected ${usage}, not ${text}`);
  return undefined;
}

function missing(flag: string): never {
  throw new ParseError(ErrorCode.PARSE_FLAG_MISSING_VALUE, `${flag} needs a value`);
}
