import { describe, expect, test } from "vitest";
import { boot } from "../../src/cli/commands/boot.ts";
import { commands } from "../../src/cli/commands/index.ts";
import { readMount } from "../../src/cli/mount-flag.ts";
import { parseArguments } from "../../src/cli/parse-arguments.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

function parse(name: string, ...argv: string[]) {
  const command = commands.find((one) => one.name === name);
  if (!command) throw new Error(`no command ${name}`);
  return parseArguments(command, argv);
}

function failure(name: string, ...argv: string[]): UsageError {
  try {
    parse(name, ...argv);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${name} ${argv.join(" ")} was accepted`);
}

describe("flags", () => {
  test("take values after a space, an equals sign, or as a short flag", () => {
    expect(parse("boot", "web", "--memory", "256").flags.memory).toBe(256);
    expect(parse("boot", "web", "--memory=256").flags.memory).toBe(256);
    expect(parse("boot", "-m", "256", "web").flags.memory).toBe(256);
    expect(parse("boot", "--image", "./a b.tar").flags.image).toBe("./a b.tar");
  });

  test("of two words are reached by their camel-case name", () => {
    expect(parse("gc", "--dry-run").flags.dryRun).toBe(true);
    expect(parse("gc").flags.dryRun ?? false).toBe(false);
  });

  test("that may be repeated make a list", () => {
    expect(parse("boot", "-p", "8080:80", "--publish=9090:90", "web").flags.publish).toEqual([
      "8080:80",
      "9090:90",
    ]);
    expect(parse("boot", "-p", "1:1").flags.publish).toEqual(["1:1"]);
    expect(parse("boot").flags.publish ?? []).toEqual([]);
  });

  test("that look like numbers stay text where text is wanted", () => {
    expect(parse("boot", "--name", "007").flags.name).toBe("007");
    expect(parse("stop", "0123").args).toEqual(["0123"]);
  });

  test.each([
    ["PARSE_FLAG_UNKNOWN", ["boot", "--memroy", "3"]],
    ["PARSE_FLAG_UNKNOWN", ["ls", "-x"]],
    ["PARSE_FLAG_UNKNOWN", ["ls", "--no-json"]],
    ["PARSE_FLAG_UNKNOWN", ["ls", "--__proto__=1"]],
    ["PARSE_FLAG_MISSING_VALUE", ["boot", "--memory"]],
    ["PARSE_FLAG_MISSING_VALUE", ["boot", "--memory", "--json"]],
    ["PARSE_FLAG_MISSING_VALUE", ["boot", "--name="]],
    ["PARSE_FLAG_MISSING_VALUE", ["boot", "--name", "--", "ls"]],
    ["PARSE_FLAG_MALFORMED", ["boot", "--memory", "lots"]],
    ["PARSE_FLAG_MALFORMED", ["boot", "--memory=1e3"]],
    ["PARSE_FLAG_MALFORMED", ["ls", "--json=yes"]],
    ["PARSE_FLAG_DUPLICATE", ["boot", "-m", "1", "--memory=2"]],
    ["PARSE_FLAG_DUPLICATE", ["ls", "--json", "--json"]],
    ["PARSE_ARGUMENT_MISSING", ["fork"]],
    ["PARSE_ARGUMENT_UNEXPECTED", ["fork", "a", "b"]],
    ["PARSE_ARGUMENT_UNEXPECTED", ["ls", "--", "x"]],
  ])("are refused: %s for %j", (code, [name, ...argv]) => {
    const error = failure(name!, ...argv);
    expect(error.code).toBe(code);
    expect(error.nextStep).toContain("--help");
  });

  test("that are misspelt get a suggestion", () => {
    expect(failure("boot", "--memroy", "3").message).toContain("--memory");
    expect(failure("gc", "--zzzzzzzzz").message).not.toContain("did you mean");
  });
});

describe("the guest's command", () => {
  test("of exec begins after the target, with its own flags untouched", () => {
    const { args, flags, guestCommand } = parse("exec", "-i", "web", "ls", "--json", "--");
    expect(args).toEqual(["web"]);
    expect(flags.stdin).toBe(true);
    expect(flags.json).toBeFalsy();
    expect(guestCommand).toEqual(["ls", "--json", "--"]);
  });

  test("of exec may be set off with dashes, which are not passed on", () => {
    expect(parse("exec", "web", "--", "--version").guestCommand).toEqual(["--version"]);
    expect(parse("exec", "web", "ls", "--", "-x").guestCommand).toEqual(["ls", "--", "-x"]);
  });

  test("of boot begins after dashes", () => {
    const { args, guestCommand } = parse("boot", "web", "--memory", "64", "--", "sleep", "-1");
    expect(args).toEqual(["web"]);
    expect(guestCommand).toEqual(["sleep", "-1"]);
  });
});

describe("a mount", () => {
  test.each([
    ["src:/mnt/src", "src", "/mnt/src"],
    ["/a b/c:d:/mnt/x/y", "/a b/c:d", "/mnt/x/y"],
  ])("is a directory of this host and its place in the guest: %s", (given, host, guest) => {
    expect(readMount(given, boot)).toEqual({ mount: { host, guest } });
  });

  test.each(["src", "src:", ":/mnt/x", "src:mnt", "src:/data", "src:/mnt", "src:/mnt/"])(
    "is refused where it does not say both: %s",
    (given) => {
      expect(() => readMount(given, boot)).toThrow(
        expect.objectContaining({ code: "PARSE_FLAG_MALFORMED" }),
      );
    },
  );

  test("is none without the flag, and only one with it", () => {
    expect(readMount(undefined, boot)).toEqual({});
    expect(failure("boot", "--mount", "a:/mnt/a", "--mount", "b:/mnt/b").code).toBe(
      "PARSE_FLAG_DUPLICATE",
    );
  });
});

describe("help", () => {
  test.each(commands)("of $name shows its flags and examples", (command) => {
    const { help } = parseArguments(command, ["--help"]);
    expect(help).toContain(command.summary);
    expect(help).toContain(`Usage: machinen ${command.name}`);
    for (const { command: line } of command.examples) expect(help).toContain(line);
    for (const flag of Object.values(command.flags)) expect(help).toContain(flag.description);
  });

  test("wins over missing arguments", () => {
    expect(parse("fork", "-h").help).toContain("machinen fork");
  });
});

test("the table has no name twice", () => {
  const words = commands.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]);
  expect(new Set(words).size).toBe(words.length);
});
