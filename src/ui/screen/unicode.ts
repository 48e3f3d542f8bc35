import unicode11 from "@xterm/addon-unicode11";

/** Marks one cell may collect; the text of a cell must stay bounded whatever a guest writes. */
const MAX_MARKS = 32;

/** The part of xterm's provider interface used here. */
export interface UnicodeProvider {
  readonly version: string;
  wcwidth(code: number): 0 | 1 | 2;
  charProperties(code: number, preceding: number): number;
}

// The addon hands its tables to the terminal it is loaded in, so chrome can take the same ones.
function loadTables(): UnicodeProvider {
  let tables: UnicodeProvider | undefined;
  const addon = new unicode11.Unicode11Addon();
  const unicode = {
    register(given: UnicodeProvider) {
      tables = given;
    },
  };
  const receiver = { unicode };
  addon.activate(receiver as unknown as Parameters<typeof addon.activate>[0]);
  if (!tables) throw new Error("addon-unicode11 registered no widths");
  return tables;
}

const tables = loadTables();

/**
 * Unicode 11 widths with a limit on combining marks. Properties are xterm's: bit 0 joins the
 * character to the one before it, bits 1-2 are the width; from bit 3 on, the marks joined so far.
 */
export const unicodeProvider: UnicodeProvider = {
  version: "11-bounded",
  wcwidth: (code) => tables.wcwidth(code),
  charProperties(code, preceding) {
    const properties = tables.charProperties(code, preceding & 7);
    if (!joins(properties)) return properties;
    const marks = (preceding >> 3) + 1;
    return marks > MAX_MARKS ? 0 : properties | (marks << 3);
  },
};

export function joins(properties: number): boolean {
  return (properties & 1) !== 0;
}

export function widthOf(properties: number): number {
  return (properties >> 1) & 3;
}

/** Terminals disagree about how far these move the cursor (emoji, symbols, private use). */
export function isWidthUncertain(code: number): boolean {
  if (code < 0x2010) return code === 0xad || (code >= 0x300 && code < 0x1100);
  return (
    code >= 0x10000 ||
    (code >= 0x2600 && code <= 0x27bf) ||
    (code >= 0x231a && code <= 0x23ff) ||
    (code >= 0x2b00 && code <= 0x2bff) ||
    (code >= 0xe000 && code <= 0xf8ff)
  );
}
