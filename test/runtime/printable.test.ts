import { expect, test } from "vitest";
import { isUnsafe, printable } from "../../src/runtime/printable.ts";

test("a run of what steers a terminal becomes one space", () => {
  expect(printable("a\x1b[31mb\r\nc\u202ed\u2066\u200e\u061ce\x9b1m")).toBe("a [31mb c d e 1m");
  expect(printable("tail\x1b\r\n")).toBe("tail");
  expect(printable("\u{1f468}\u200d\u{1f469} é 漢")).toBe("\u{1f468}\u200d\u{1f469} é 漢");
});

test("nothing unsafe is left of any code point", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const left = printable(`a${String.fromCodePoint(code)}b`);
    if ([...left].some((character) => isUnsafe(character.codePointAt(0)!))) expect(code).toBe(-1);
  }
  for (const code of [0x1b, 0x9b, 0x200e, 0x200f, 0x061c, 0x202e, 0x2069, 0xd800, 0xe0041]) {
    expect(isUnsafe(code)).toBe(true);
  }
});
