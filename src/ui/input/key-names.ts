const cursorKeys: Record<string, string> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  E: "begin",
  F: "end",
  H: "home",
  P: "f1",
  Q: "f2",
  R: "f3",
  S: "f4",
};

const tildeKeys: Record<number, string> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
  11: "f1",
  12: "f2",
  13: "f3",
  14: "f4",
  15: "f5",
  17: "f6",
  18: "f7",
  19: "f8",
  20: "f9",
  21: "f10",
  23: "f11",
  24: "f12",
};

const controlNames: Record<number, string> = {
  0: "ctrl-space",
  9: "tab",
  13: "enter",
  27: "escape",
  28: "ctrl-\\",
  29: "ctrl-]",
  30: "ctrl-^",
  31: "ctrl-_",
  32: "space",
  127: "backspace",
};

/** Name of a single byte below 0x80. */
export function asciiKeyName(byte: number): string {
  const named = controlNames[byte];
  if (named) return named;
  if (byte < 0x20) return `ctrl-${String.fromCharCode(byte + 0x60)}`;
  return String.fromCharCode(byte);
}

/** xterm's modifier parameter: 1 + shift 1 + alt 2 + ctrl 4. */
function withModifiers(name: string, parameter: number | undefined): string {
  const bits = parameter && parameter > 1 ? parameter - 1 : 0;
  return `${bits & 4 ? "ctrl-" : ""}${bits & 2 ? "alt-" : ""}${bits & 1 ? "shift-" : ""}${name}`;
}

/** Name of a key sent as `CSI <parameters> <final>`, or undefined when it is none. */
export function csiKeyName(parameters: readonly number[], final: string): string | undefined {
  if (final === "Z") return "shift-tab";
  const name = final === "~" ? tildeKeys[parameters[0] ?? 0] : cursorKeys[final];
  return name && withModifiers(name, parameters[1]);
}

/** Name of a key sent as `SS3 <final>`. */
export function ss3KeyName(final: string): string | undefined {
  return final === "M" ? "enter" : cursorKeys[final];
}

const named = new Set([
  ...Object.values(cursorKeys),
  ...Object.values(tildeKeys),
  ...Object.values(controlNames).filter((name) => !name.startsWith("ctrl-")),
]);

/** Whether `name` is what a key can be called: a character or a named key, after its modifiers. */
export function isKeyName(name: string): boolean {
  const bare = name.replace(/^(ctrl-)?(alt-)?(shift-)?(?=.)/, "");
  return named.has(bare) || /^\P{C}$/u.test(bare);
}
