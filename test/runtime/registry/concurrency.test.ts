import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, it } from "vitest";
import {
  addEntry,
  list,
  readEntry,
  registryRoot,
  updateEntry,
} from "../../../src/runtime/registry/index.ts";
import { killed, useScratchRegistry } from "./scratch.ts";

const scratch = useScratchRegistry();
const WRITERS = 50;

it(`stays whole under ${WRITERS} processes that write at once`, async () => {
  const program = join(scratch.dir, "writer.mjs");
  await build({
    entryPoints: [new URL("./concurrent-writer.ts", import.meta.url).pathname],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  const shared = scratch.sleeper();
  addEntry({ pid: shared.pid, socketPath: "/run/x/exec.sock", startedAt: 1 });
  // All of them also race for a name and a lock that dead processes hold.
  const deadOwner = JSON.stringify({ pid: await scratch.deadPid(), nonce: "n" });
  mkdirSync(join(registryRoot(), "names", "wanted"), { recursive: true });
  writeFileSync(join(registryRoot(), "names", "wanted", ".pin"), deadOwner);
  mkdirSync(join(registryRoot(), ".locks"), { recursive: true });
  writeFileSync(join(registryRoot(), ".locks", `entry-${shared.pid}`), deadOwner);

  const writers = Array.from({ length: WRITERS }, () =>
    spawn(process.execPath, [program, String(shared.pid), "2"], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  try {
    const reports = await Promise.all(writers.map(firstLine));
    expect(reports.filter((report) => report.won)).toHaveLength(1);
    const entries = list();
    expect(entries.map((entry) => entry.pid).sort()).toEqual(
      [shared.pid, ...reports.map((report) => report.pid)].sort(),
    );
    for (const { pid } of reports) {
      expect(readEntry(pid)).toMatchObject({ name: `worker/${pid}`, memoryCeilingMib: 1 });
    }
    // Two kinds of writers changed two fields of one record: neither undid the other.
    updateEntry(shared.pid, { imagePath: "last" });
    expect(readEntry(shared.pid)).toMatchObject({
      lazyPagesTotal: 0,
      hostname: expect.stringMatching(/^h\d+$/),
      imagePath: "last",
    });
  } finally {
    await Promise.all(writers.map(killed));
  }
  expect(list().map((entry) => entry.pid)).toEqual([shared.pid]);
  expect(existsSync(join(registryRoot(), "names", "worker"))).toBe(false);
  expect(readdirSync(join(registryRoot(), "names"))).toEqual([]);
  expect(readdirSync(join(registryRoot(), ".staging"))).toEqual([]);
  expect(readdirSync(join(registryRoot(), ".locks"))).toEqual([]);
});

function firstLine(child: ChildProcess): Promise<{ pid: number; won: boolean }> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("\n")) resolve(JSON.parse(text));
    });
    child.once("exit", (code) => reject(new Error(`a writer ended with status ${code}: ${text}`)));
  });
}
