// Plays the fork-and-compare tour on the real program and writes what its terminal got as an asciicast (v2).
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import headless from "@xterm/headless";
import { spawn } from "node-pty";

const COLS = 120;
const ROWS = 30;
const LONGEST_WAIT_MS = 120_000;
/** A viewer must be able to follow: keys come like a person's, waits end in a short rest. */
const KEY_MS = 45;
const REST_MS = 900;
/** Nothing to see happens in longer pauses: they are shortened to this. */
const LONGEST_PAUSE_S = 2;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = process.argv[2] ?? join(root, "docs/fork-and-compare.cast");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A home and a registry of its own, with the assets that are installed. */
const home = mkdtempSync(join(tmpdir(), "machinen-tour-"));
mkdirSync(join(home, ".machinen"));
symlinkSync(join(homedir(), ".machinen/assets"), join(home, ".machinen/assets"));
const env = {
  PATH: process.env.PATH,
  HOME: home,
  LANG: "C.UTF-8",
  TERM: "xterm-256color",
  COLORTERM: "truecolor",
  MACHINEN_ASSETS_DIR: process.env.MACHINEN_ASSETS_DIR ?? join(homedir(), ".machinen/assets"),
  MACHINEN_CACHE_DIR: process.env.MACHINEN_CACHE_DIR ?? join(homedir(), ".cache/machinen"),
  MACHINEN_REGISTRY_DIR: join(home, "registry"),
  XDG_RUNTIME_DIR: home,
};

const screen = new headless.Terminal({ cols: COLS, rows: ROWS, allowProposedApi: true });
const binary = join(root, "bin/machinen");
const program = spawn(binary, ["tui", "--boot", "1"], { cols: COLS, rows: ROWS, env, cwd: home });
const start = performance.now();
const events = [];
program.onData((data) => {
  events.push([(performance.now() - start) / 1000, data]);
  screen.write(data);
});
screen.onData((answer) => program.write(answer));
const ended = new Promise((resolve) => program.onExit(resolve));

function text() {
  const { active } = screen.buffer;
  const lines = Array.from(
    { length: ROWS },
    (_, y) => active.getLine(y)?.translateToString() ?? "",
  );
  return lines.join("\n");
}

async function see(pattern) {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  while (!pattern.test(text())) {
    if (Date.now() > deadline) throw new Error(`never came: ${pattern}\n${text()}`);
    await sleep(50);
  }
  await sleep(REST_MS);
}

async function type(keys) {
  for (const key of keys) {
    program.write(key);
    await sleep(KEY_MS);
  }
}

const DETACH = "\x1d\x1d";

async function play() {
  await see(/root@m1:~#/);
  await type("\r");
  await see(/attached/);
  await type("topic=forks; echo $topic > notes; cat notes\r");
  await see(/^.*│forks/m);
  await type(DETACH);
  await see(/machines .*j\/k/);
  await type("f");
  await see(/╭─ m1\.1 /);
  await type("c");
  await see(/2 compare/);
  await type("=\r");
  await see(/all panes of the tab/);
  await type('echo "$topic in $(hostname)" >> notes; cat notes\r');
  await see(/forks in m1\.1/);
  await type(DETACH);
  await see(/machines .*j\/k/);
  await type("d");
  await sleep(REST_MS);
  await type("D");
  await see(/~ \/root\/notes/);
  await type("j\r");
  await see(/\+forks in m1\.1/);
  await type("\x1b");
  await see(/Enter open a file/);
  await type("\x1b");
  await see(/machines .*j\/k/);
  await type("Y");
  await see(/Keep .* and stop/);
  await type("y");
  await see(/1 running/);
  await type("q");
  await ended;
}

/** Times with the long pauses cut out. */
function* shortened() {
  let before = 0;
  let now = 0;
  for (const [time, data] of events) {
    now += Math.min(time - before, LONGEST_PAUSE_S);
    before = time;
    yield [Number(now.toFixed(6)), "o", data];
  }
}

try {
  await play();
  const header = {
    version: 2,
    width: COLS,
    height: ROWS,
    title: "machinen: fork a running machine and compare",
    env: { TERM: env.TERM },
  };
  const lines = [header, ...shortened()].map((line) => JSON.stringify(line));
  writeFileSync(target, `${lines.join("\n")}\n`);
  console.log(`${target}: ${events.length} events`);
} finally {
  program.kill("SIGKILL");
  const stop = spawn(binary, ["stop", "--all"], { env, cwd: home });
  await new Promise((resolve) => stop.onExit(resolve));
  rmSync(home, { recursive: true, force: true });
}
process.exit(0);
