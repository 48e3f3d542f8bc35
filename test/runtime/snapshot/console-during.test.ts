import { expect, test } from "vitest";
import { consoleSince } from "../../../src/runtime/snapshot/console-during.ts";

const since = (before: string, after: string) =>
  consoleSince(Buffer.from(before), Buffer.from(after)).toString();

test("what was appended", () => {
  expect(since("", "")).toBe("");
  expect(since("", "new")).toBe("new");
  expect(since("old", "old")).toBe("");
  expect(since("old", "old new")).toBe(" new");
});

test("a ring that wrapped meanwhile", () => {
  expect(since("abcdef", "cdefXY")).toBe("cdefXY"); // too little in common to know
  const before = `start${"b".repeat(100)}${"0123456789".repeat(409)}123456`;
  expect(since(before, `${before.slice(50)}XY`)).toBe("XY");
});
