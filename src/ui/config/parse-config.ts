import { parse, TomlError } from "smol-toml";
import { type KeyBinding, keymap } from "../keymap.ts";
import { defaultSettings, type Setting, type Settings, settings } from "./settings.ts";
import { keymapWith } from "./user-keys.ts";

/** What the user has configured, the rest as it comes. */
export interface Config {
  settings: Settings;
  keymap: readonly KeyBinding[];
}

/** Something in the file that does not count. */
export interface ConfigProblem {
  /** Counted from 1. */
  line: number;
  /** What is wrong, and what is used instead. */
  text: string;
}

export const defaultConfig: Config = { settings: defaultSettings, keymap };

/** Reads a configuration file: what is wrong in it is told, what is right counts. */
export function parseConfig(source: string): { config: Config; problems: ConfigProblem[] } {
  let tables: Record<string, unknown>;
  try {
    tables = parse(source);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
    const text = `this is no TOML: ${reason}; the defaults are used for everything`;
    return { config: defaultConfig, problems: [{ line: error.line, text }] };
  }
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = { ...defaultSettings };
  let keys = keymap;
  for (const [table, content] of Object.entries(tables)) {
    if (table === "keys") {
      const changed = keymapWith(content);
      keys = changed.keymap;
      for (const { key, text } of changed.problems) {
        problems.push({ line: lineOf(source, "keys", key), text });
      }
    } else if (!isTable(content) || !knownTables.has(table)) {
      const known = [...knownTables, "keys"].map((name) => `[${name}]`).join(", ");
      const text = `there is no [${table}]; there are ${known}`;
      problems.push({ line: lineOf(source, table, isTable(content) ? undefined : table), text });
    } else {
      for (const [name, value] of Object.entries(content)) {
        const problem = readSetting(`${table}.${name}`, value, values);
        if (problem) problems.push({ line: lineOf(source, table, name), text: problem });
      }
    }
  }
  problems.sort((a, b) => a.line - b.line);
  const chosen = values as Settings;
  return { config: { settings: chosen, keymap: withDetachKey(keys, chosen) }, problems };
}

/** The detach key has a setting of its own: other programs than the UI know it too. */
function withDetachKey(keys: readonly KeyBinding[], chosen: Settings): readonly KeyBinding[] {
  const key = chosen["keyboard.detach"];
  return keys.map((row) => (row.command === "detach" ? { ...row, keys: [`${key} ${key}`] } : row));
}

const knownTables = new Set(Object.keys(settings).map((name) => name.split(".")[0]!));

/** Puts an allowed value in its place; else says what is wrong. */
function readSetting(
  name: string,
  given: unknown,
  values: Record<string, unknown>,
): string | undefined {
  if (!Object.hasOwn(settings, name)) return `there is no setting ${name}; it is ignored`;
  const setting: Setting<unknown> = settings[name as keyof typeof settings];
  const value = setting.read(given);
  if (value !== undefined) {
    values[name] = value;
    return undefined;
  }
  return (
    `${name} must be ${setting.allowed}, and is ${JSON.stringify(given)}; ` +
    `${JSON.stringify(setting.default)} is used`
  );
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Where a name stands: the parser gives values, not places. 1 when it cannot be found. */
export function lineOf(source: string, table: string, name: string | undefined): number {
  let current = "";
  for (const [index, line] of source.split("\n").entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) {
      current = header.replace(/["']/g, "");
      if (name === undefined && current === table) return index + 1;
      continue;
    }
    const key = /^\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*=/.exec(line)?.slice(1).find(Boolean);
    if (key === undefined || name === undefined) continue;
    if ((current === table && key === name) || `${current}.${key}` === `.${table}.${name}`) {
      return index + 1;
    }
    if (current === "" && (key === name || key === `${table}.${name}`)) return index + 1;
  }
  return 1;
}
