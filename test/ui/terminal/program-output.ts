import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pty from "node-pty";

export interface Recording {
  name: string;
  cols: number;
  rows: number;
  chunks: Buffer[];
}

/** Where a program is installed, or null. */
export function findProgram(name: string): string | null {
  const found = ["/usr/bin", "/bin", "/usr/local/bin"].map((dir) => join(dir, name));
  return found.find((path) => existsSync(path)) ?? null;
}

/** Run a program on a PTY, type the keys one by one, and keep what it writes until it ends. */
export async function record(
  name: string,
  file: string,
  args: string[],
  keys: string[],
  size = { cols: 80, rows: 24 },
): Promise<Recording> {
  const home = mkdtempSync(join(tmpdir(), "pane-"));
  const numbers = Array.from({ length: 400 }, (_, i) => `${i + 1} naïve 漢字 e\u0301\t|`).join(
    "\n",
  );
  writeFileSync(join(home, "text"), numbers);
  const env = { PATH: process.env.PATH, HOME: home, TERM: "xterm-256color", LANG: "C.UTF-8" };
  const options = { ...size, cwd: home, env, encoding: null };
  const program = pty.spawn(file, args, options);
  const chunks: Buffer[] = [];
  let quiet = Date.now();
  program.onData((data) => {
    quiet = Date.now();
    chunks.push(Buffer.from(data as unknown as Uint8Array));
  });
  const ended = new Promise<void>((resolve) => program.onExit(() => resolve()));
  for (const key of keys) {
    const waited = Date.now();
    while (Date.now() - quiet < 60 && Date.now() - waited < 1500) await sleep(20);
    quiet = Date.now();
    program.write(key);
  }
  const late = setTimeout(() => program.kill(), 4000);
  await ended;
  clearTimeout(late);
  await sleep(50);
  rmSync(home, { recursive: true, force: true });
  return { name, ...size, chunks };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
