import { expect, it } from "vitest";
import { matchesAny, namePattern } from "../../../src/runtime/images/name-pattern.ts";

it.each([
  ["*.log", "a/b.log", true],
  ["*.log", "a.logs", false],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["[ab]x", "bx", true],
  ["[!ab]x", "bx", false],
  ["[]]x", "]x", true],
  ["[^a]", "^", true],
  ["[", "[", true],
  ["a.b", "axb", false],
  ["a+(b|c)$", "a+(b|c)$", true],
  ["**", "", true],
])("%s against %s is %s", (pattern, text, expected) => {
  expect(namePattern(pattern).test(text)).toBe(expected);
});

it("matches when any pattern does", () => {
  expect(matchesAny(["a", "b*"])("bcd")).toBe(true);
  expect(matchesAny([])("a")).toBe(false);
});
