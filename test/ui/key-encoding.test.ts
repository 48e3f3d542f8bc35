import { expect, it } from "vitest";
import { InputParser } from "../../src/ui/input/parser.ts";
import { encodeKey, wheelAsArrows } from "../../src/ui/panes/key-encoding.ts";

function encode(bytes: string, application: boolean): string {
  return new InputParser()
    .feed(Buffer.from(bytes))
    .map((event) => (event.type === "key" ? encodeKey(event, application).toString() : ""))
    .join("");
}

it("translates plain cursor keys only", () => {
  expect(encode("\x1b[A\x1b[H", true)).toBe("\x1bOA\x1bOH");
  expect(encode("\x1bOB", false)).toBe("\x1b[B");
  expect(encode("\x1b[1;5A\x1bOPé\x03\x1b[5~", true)).toBe("\x1b[1;5A\x1bOPé\x03\x1b[5~");
  expect(encode("\x1bOP", false)).toBe("\x1bOP");
});

it("turns wheel steps into arrows", () => {
  expect(wheelAsArrows(true, 2, true).toString()).toBe("\x1bOA\x1bOA");
  expect(wheelAsArrows(false, 1, false).toString()).toBe("\x1b[B");
});
