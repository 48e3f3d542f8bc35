import { describe, expect, it } from "vitest";
import { defaultConfigFile } from "../../../src/ui/config/default-file.ts";
import { detachByte } from "../../../src/ui/config/detach-byte.ts";
import { defaultConfig, parseConfig } from "../../../src/ui/config/parse-config.ts";
import { bindingFor, describeKey, hintsFor } from "../../../src/ui/keymap.ts";

const lines = (...text: string[]): string => text.join("\n");

describe("a configuration file", () => {
  it("changes what it says, and nothing else", () => {
    const { config, problems } = parseConfig(
      lines("[look]", 'theme = "light"', "mouse = false", "[scrollback]", "lines = 9"),
    );
    expect(problems).toEqual([]);
    expect(config.settings).toEqual({
      ...defaultConfig.settings,
      "look.theme": "light",
      "look.mouse": false,
      "scrollback.lines": 9,
    });
  });

  it("is told what is wrong, on which line, and what counts instead", () => {
    const { config, problems } = parseConfig(
      lines(
        "[look]",
        'theme = "pink"',
        "colour = 3",
        "[scrollback]",
        "# lines = 1",
        'lines = "many"',
        "[nothing]",
        "a = 1",
        "[new-machine]",
        "memory = 1024",
      ),
    );
    expect(problems).toEqual([
      {
        line: 2,
        text: 'look.theme must be one of "dark", "light", "high-contrast", "none", and is "pink"; "dark" is used',
      },
      { line: 3, text: "there is no setting look.colour; it is ignored" },
      {
        line: 6,
        text: 'scrollback.lines must be a whole number from 0 to 100000, and is "many"; 2000 is used',
      },
      { line: 7, text: expect.stringContaining("there is no [nothing]") },
    ]);
    expect(config.settings["new-machine.memory"]).toBe(1024);
  });

  it("counts for nothing when it is no TOML, which is told with the line", () => {
    const { config, problems } = parseConfig(lines("[look]", 'theme = "light"', "mouse = maybe"));
    expect(config).toBe(defaultConfig);
    expect(problems).toMatchObject([{ line: 3, text: expect.stringContaining("no TOML") }]);
  });

  it("never fails, whatever is in it", () => {
    const source = defaultConfigFile("here").replaceAll(/^# (?=[a-z"-]+ = )/gm, "");
    for (let end = 0; end < source.length; end += 13) {
      expect(() => parseConfig(source.slice(0, end))).not.toThrow();
    }
    expect(() => parseConfig("keys = 3\nlook = 1\nscrollback.lines = [1]")).not.toThrow();
  });
});

describe("the default file", () => {
  it("changes nothing, neither as it is nor with every line switched on", () => {
    const source = defaultConfigFile("here");
    expect(parseConfig(source)).toEqual({ config: defaultConfig, problems: [] });
    const on = source.replaceAll(/^# (?=[a-z"-]+ = )/gm, "");
    expect(on).toContain('\ntheme = "dark"');
    const { config, problems } = parseConfig(on);
    expect(problems).toEqual([]);
    expect(config.settings).toEqual(defaultConfig.settings);
    for (const { mode, keys, command, argument } of defaultConfig.keymap) {
      for (const key of keys) {
        expect(bindingFor(config.keymap, mode, key), key).toMatchObject({ command });
        expect(bindingFor(config.keymap, mode, key)?.argument).toBe(argument);
      }
    }
  });
});

describe("the user's keys", () => {
  const keysOf = (...text: string[]) => parseConfig(lines("[keys]", ...text));

  it("take the place of the usual ones, and are taken from other commands", () => {
    const { config, problems } = keysOf('fork = ["F", "x"]', "new = []", '"layout stack" = "S"');
    expect(problems).toEqual([]);
    const command = (key: string) => bindingFor(config.keymap, "navigate", key)?.command;
    expect(command("F")).toBe("fork");
    expect(command("f")).toBeUndefined();
    expect(command("x")).toBe("fork");
    expect(command("n")).toBeUndefined();
    expect(bindingFor(config.keymap, "navigate", "S")).toMatchObject({
      command: "layout",
      argument: "stack",
    });
    const hints = hintsFor(config.keymap, "navigate", new Set(["machine", "running"]));
    expect(hints.find(({ hint }) => hint === "fork")?.key).toBe("F");
    expect(hints.some(({ hint }) => hint === "new")).toBe(false);
  });

  it("are refused one by one", () => {
    const { config, problems } = keysOf('frok = "f"', 'fork = "ctrl"', 'zoom = "q"', 'stop = "q"');
    expect(problems.map(({ line, text }) => [line, text])).toEqual([
      [2, expect.stringContaining('no command "frok"')],
      [3, expect.stringContaining('"ctrl" is no key')],
      [5, expect.stringContaining("already that of zoom")],
    ]);
    expect(bindingFor(config.keymap, "navigate", "f")?.command).toBe("fork");
    expect(bindingFor(config.keymap, "navigate", "x")?.command).toBe("stop");
    expect(bindingFor(config.keymap, "navigate", "q")?.command).toBe("zoom");
  });

  it("can be another detach key, which the status line shows", () => {
    const { config } = parseConfig(lines("[keyboard]", 'detach = "ctrl-b"'));
    const [hint] = hintsFor(config.keymap, "attached", new Set());
    expect(hint?.key).toBe("Ctrl-B Ctrl-B");
    expect(detachByte("ctrl-b")).toBe(2);
    expect(detachByte("ctrl-]")).toBe(0x1d);
    expect(describeKey("ctrl-]")).toBe("Ctrl-]");
  });
});
