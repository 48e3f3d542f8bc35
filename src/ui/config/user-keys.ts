import { isCommand } from "../commands.ts";
import { isKeyName } from "../input/key-names.ts";
import { type KeyBinding, keymap } from "../keymap.ts";

export interface UserKeys {
  keymap: readonly KeyBinding[];
  problems: { key: string; text: string }[];
}

/**
 * The key table with the user's keys: each name is a command (with its argument after a space), each
 * value its keys. They take the place of the command's usual keys, and are taken from other commands.
 */
export function keymapWith(table: unknown): UserKeys {
  const problems: UserKeys["problems"] = [];
  if (typeof table !== "object" || table === null || Array.isArray(table)) {
    return { keymap, problems: [{ key: "keys", text: "[keys] must be a table; it is ignored" }] };
  }
  const own: KeyBinding[] = [];
  const taken = new Map<string, string>();
  const replaced = new Set<string>();
  for (const [words, value] of Object.entries(table)) {
    const [command = "", argument] = splitOnce(words);
    const keys: unknown[] = Array.isArray(value) ? value : [value];
    const reject = (text: string): void => {
      problems.push({ key: words, text: `${text}; the usual keys are used` });
    };
    if (!isCommand(command)) {
      reject(`there is no command "${words}"`);
      continue;
    }
    const wrong = keys.find((key) => typeof key !== "string" || !isKeyName(key));
    if (wrong !== undefined) {
      reject(`${words}: ${JSON.stringify(wrong)} is no key`);
      continue;
    }
    const twice = (keys as string[]).find((key) => taken.has(key));
    if (twice !== undefined) {
      reject(`${words}: the key "${twice}" is already that of ${taken.get(twice)}`);
      continue;
    }
    for (const key of keys as string[]) taken.set(key, words);
    replaced.add(words);
    const usual = keymap.find((row) => isFor(row, words));
    const base: KeyBinding = usual ?? { mode: "navigate", keys: [], command };
    // What stood for several rows in the help stands for itself now.
    own.push({
      ...base,
      ...(argument === undefined ? {} : { argument }),
      keys: keys as string[],
      hintKey: undefined,
      helpKeys: undefined,
    });
  }
  const rest = keymap
    .filter((row) => !replaced.has(wordsOf(row)) || row.mode !== "navigate")
    .map((row) =>
      row.mode === "navigate" ? { ...row, keys: row.keys.filter((key) => !taken.has(key)) } : row,
    );
  const all = [...own, ...rest].filter(({ keys }) => keys.length > 0);
  return { keymap: inOrder(all), problems };
}

/** Rows stay where help and status line usually have them. */
function inOrder(rows: readonly KeyBinding[]): KeyBinding[] {
  const place = (row: KeyBinding): number => {
    const at = keymap.findIndex(
      (usual) => usual.mode === row.mode && wordsOf(usual) === wordsOf(row),
    );
    return at < 0 ? keymap.length : at;
  };
  return rows.toSorted((a, b) => place(a) - place(b));
}

function isFor(row: KeyBinding, words: string): boolean {
  return row.mode === "navigate" && wordsOf(row) === words;
}

function wordsOf({ command, argument }: KeyBinding): string {
  return argument === undefined ? command : `${command} ${argument}`;
}

function splitOnce(words: string): [string, string?] {
  const space = words.indexOf(" ");
  return space < 0 ? [words] : [words.slice(0, space), words.slice(space + 1)];
}
