import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { SideBySide } from "./support/side-by-side.ts";
import { World } from "./support/world.ts";

const world = new World();
let both: SideBySide | undefined;
afterEach(() => {
  both?.close();
  both = undefined;
});
afterAll(() => world.dispose());

async function start(
  command: string,
  first: string | RegExp,
  files: Record<string, string> = {},
): Promise<SideBySide> {
  both = new SideBySide(world, command, files);
  await both.begin(first);
  return both;
}

const text = Array.from({ length: 300 }, (_, i) => `${i + 1} naïve 漢字 e\u0301\t|`).join("\n");

/** What is typed, and what then has to be on the screen before anything else is. */
type Keys = string | [keys: string, shows: RegExp];

const programs: [name: string, command: string, first: string | RegExp, keys: Keys[]][] = [
  [
    "vim",
    "vim -n -u NONE -N -c 'set nottyfast' text",
    "3 naïve",
    ["Go", "漢e\u0301 new\x1b", "gg", "\x06", "/9 n\r", "\x1b[B", ":vsplit\r", ":qa!\r"],
  ],
  ["less", "less text", "3 naïve", [" ", "j", "/33\r", "n", "G", "?2\r", "q"]],
  ["nano", "nano -I text", "3 naïve", ["new 漢字 ", "\x0b", "\x16", "\x17100\r", "\x18", "n"]],
  [
    "mc",
    "mc --nosubshell --nomouse",
    "10Quit",
    ["\x1b[B", "\t", "\x1b[20~", "\x1b[B", "\x1b\x1b", "\x1b[21~", "\r"],
  ],
  [
    "tmux",
    // A window with a name keeps it: what tmux makes up depends on when it looks.
    "tmux -f /dev/null new-session -s s -n w 'tmux set -g status-right \"\"; exec sh'",
    /^\$$/m,
    // What is typed before a shell has shown its prompt is echoed before it. The terminal is read by
    // the server, of which nobody could tell how far it has come.
    [
      ["echo 'one 漢字'\r", /^one 漢字 *\n\$/m],
      ["\x02%", /│[$#]/],
      ["echo two\r", /│two *\n.*│[$#]/],
      ["\x02o", /│two/],
      ["seq 100\r", /^100 .*\n\$/m],
      ["\x02[", /\[0\/\d+\]/],
      ["\x1b[A\x1b[A", /\[0\/\d+\]/],
      ["q", /^(?![\s\S]*\[0\/)/],
      ["\x02d", /ENDED/],
    ],
  ],
];

test.each(programs)("%s looks the same as on a bare terminal", async (_, command, first, keys) => {
  const program = await start(command, first, { text });
  for (const key of keys)
    await (typeof key === "string" ? program.type(key) : program.type(...key));
  await program.same("the end", () => program.bareText().includes("ENDED"));
});

test("htop, made to show nothing that changes by itself, looks the same as on a bare terminal", async () => {
  const process = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    const program = await start(
      `HTOPRC=$HOME/htoprc htop --delay=100 --pid=${process.pid}`,
      "sleep 600",
      {
        htoprc: `htop_version=3.2.2
config_reader_min_version=3
fields=0 48 17 18 2 1
header_layout=one_100
column_meters_0=Hostname
column_meter_modes_0=2
hide_userland_threads=1
color_scheme=0
enable_mouse=1
`,
      },
    );
    for (const key of ["\x1b[B", "t", "\x1bOQ", "\x1b[B", "\x1b[B", "\x1b[21~", "/sl", "\r"])
      await program.type(key);
    await program.type("q");
    await program.same("the end", () => program.bareText().includes("ENDED"));
  } finally {
    process.kill("SIGKILL");
  }
});

test("a Node TUI looks the same as on a bare terminal", async () => {
  const directory = join(world.directory, "ink");
  mkdirSync(directory, { recursive: true });
  const ink = join(packageRoot(), "node_modules", "ink", "build", "index.js");
  const react = join(packageRoot(), "node_modules", "react", "index.js");
  writeFileSync(
    join(directory, "app.mjs"),
    `import { Box, Text, render, useApp, useInput } from ${JSON.stringify(ink)};
import React from ${JSON.stringify(react)};
const { createElement: h, useState } = React;
function App() {
  const [count, setCount] = useState(0);
  const { exit } = useApp();
  useInput((input, key) => (input === "q" ? exit() : setCount(count + (key.upArrow ? 1 : 10))));
  return h(Box, { borderStyle: "double", borderColor: "magenta", paddingX: 2, flexDirection: "column" },
    h(Text, { bold: true, color: "#ff8800" }, "Größe 漢字 " + count),
    h(Text, { inverse: true, underline: true }, "x".repeat(count % 40)));
}
render(h(App));
`,
  );
  const program = await start(
    `env -u CI ${process.execPath} ${join(directory, "app.mjs")}`,
    "Größe 漢字 0",
  );
  for (const key of ["\x1b[A", "a", "\x1b[A", "b"]) await program.type(key);
  expect(program.bareText()).toContain("漢字 22");
  await program.type("q");
  await program.same("the end", () => program.bareText().includes("ENDED"));
});
