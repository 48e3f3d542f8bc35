import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { reportError } from "../../src/cli/report-error.ts";
import { machineName } from "../../src/cli/target.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { BootError } from "../../src/runtime/errors.ts";

const hostile = "\x1b]0;owned\x07\x9b2J\u202e";

function reported(error: unknown): string {
  const stderr = new PassThrough();
  reportError(error, stderr);
  return stderr.read().toString();
}

test("no line of an error steers the terminal, and its lines stay lines", () => {
  vi.stubEnv("MACHINEN_DEBUG", "1");
  const cause = new Error(`cause${hostile}`);
  const errors = [
    new BootError("BOOT_TIMEOUT", `no answer; console:\n${hostile}tail\r\nend`, { cause }),
    new Error(`plain${hostile}`),
    new UsageError("PARSE_COMMAND_UNKNOWN", `no "${hostile}"`, `next${hostile}`),
    `thrown${hostile}`,
  ];
  for (const error of errors) {
    expect(reported(error)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  }
  expect(reported(errors[0])).toContain("console:\n ]0;owned 2J tail\nend\n  caused by: cause");
  vi.unstubAllEnvs();
});

test("no machine's name steers the terminal", () => {
  expect(machineName({ id: "7", name: `web${hostile}` })).toBe("web ]0;owned 2J");
  expect(machineName({ id: "7" })).toBe("#7");
});
