import { expect, test } from "vitest";
import { readArguments, USAGE } from "../../bench/arguments.ts";

test("without words everything but the soak is measured ten times", () => {
  expect(readArguments([])).toEqual({
    parts: ["machines", "files", "multiplexer", "live-mount"],
    runs: 10,
    image: "tiny",
    json: false,
    help: false,
  });
});

test("one part is chosen by its name, and every part is explained", () => {
  for (const part of ["machines", "files", "multiplexer", "live-mount", "soak"]) {
    expect(readArguments(["--only", part, "--runs", "3"])).toMatchObject({
      parts: [part],
      runs: 3,
    });
    expect(USAGE).toMatch(new RegExp(`^${part} +\\S`, "m"));
  }
});

test.each([
  [["--only", "tea"], /no part 'tea'/],
  [["--only", ""], /no part ''/],
  [["--runs", "0"], /'0' is not a number of runs/],
  [["--runs", "many"], /'many' is not a number of runs/],
  [["--onyl", "machines"], /--onyl/],
  [["machines"], /machines/],
])("%j is refused", (args, message) => {
  expect(() => readArguments(args)).toThrow(message);
});
