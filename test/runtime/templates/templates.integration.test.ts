import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cacheDir, cacheRoot } from "../../../src/runtime/images/cache-dir.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { bootSnapshotPath } from "../../../src/runtime/machine/boot-log.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import {
  identify,
  isRunning,
  waitUntilGone,
} from "../../../src/runtime/machine/process-identity.ts";
import type { VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { builtVmmBinary } from "../../../src/runtime/machine/vmm-binary.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { collectTemplates } from "../../../src/runtime/templates/limit.ts";
import {
  findTemplate,
  listTemplates,
  templatesRoot,
} from "../../../src/runtime/templates/store.ts";
import { bases } from "../machine/bases.ts";
import { runInOtherProcess } from "../machine/other-process.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const starts = join(scratch.path, "starts");

/** A VMM that tells how it was started before it becomes the real one. */
function useTellingVmm(): void {
  const path = join(scratch.path, "telling-vmm");
  const script = `#!/bin/sh
[ $# -eq 0 ] && echo "\${MACHINEN_INCOMING%%:*}:$$" >> ${starts}
exec ${builtVmmBinary()} "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  process.env.MACHINEN_VMM = path;
}

/** How machines were started since the last look: `cold` or `template`. */
function startsSeen(): string[] {
  const lines = existsSync(starts) ? readFileSync(starts, "utf8").trim().split("\n") : [];
  writeFileSync(starts, "");
  return lines.filter(Boolean).map((line) => line.split(":")[0] || "cold");
}

/** The pid of the machine that is being made into a template. */
function builderPid(): number | undefined {
  const line = readFileSync(starts, { encoding: "utf8", flag: "a+" }).split("\n")[0];
  return line ? Number(line.split(":")[1]) : undefined;
}

const machines: VmHandle[] = [];
async function booted(opts: BootOptions): Promise<VmHandle> {
  const vm = await boot(opts);
  machines.push(vm);
  return vm;
}
/** As if nobody had touched the file since the template was made. */
function makeLookWhole(directory: string, name: string): void {
  const record = join(directory, "template.json");
  const { key, files } = JSON.parse(readFileSync(record, "utf8"));
  const { mtimeNs } = statSync(join(directory, name), { bigint: true });
  for (const file of files) {
    if (file.name === name) Object.assign(file, { mtimeNs: String(mtimeNs), inode: undefined });
  }
  writeFileSync(record, JSON.stringify({ key, files }));
  expect(findTemplate(key)).toBeDefined();
}

const killAll = async () => {
  for (const vm of machines.splice(0)) await vm.kill();
};
const templateOf = (vm: VmHandle) => readEntry(vm.pid)?.templateKey;

beforeAll(() => {
  const disks = cacheDir(join(cacheRoot(), "rootfs"));
  process.env.MACHINEN_CACHE_DIR = join(scratch.path, "cache");
  mkdirSync(process.env.MACHINEN_CACHE_DIR);
  // Templates are to be made here; the disks of the bases are none of it, and take long.
  symlinkSync(disks, join(process.env.MACHINEN_CACHE_DIR, "rootfs"));
  useTellingVmm();
});
beforeEach(() => void startsSeen());
afterAll(async () => {
  await killAll();
  for (const { pid } of list()) await (await attach({ pid })).kill();
  const left = scratch.runDirs();
  scratch.remove();
  expect(left).toEqual([]);
});

describe.each(bases)("templates of the $name base", ({ options }) => {
  test("concurrent first boots, in two processes, build one", async () => {
    const other = runInOtherProcess(
      `import { boot } from "./machine/boot.ts";
       const opts = ${JSON.stringify(options)};
       const vms = await Promise.all([boot({ ...opts, detached: true }), boot({ ...opts, detached: true })]);
       console.log(vms.map((vm) => vm.pid).join(" "));`,
    );
    const ours = await Promise.all([booted(options), booted(options)]);
    const { firstLine, process: creator } = await other;
    if (creator.exitCode === null) await once(creator, "exit");
    expect(startsSeen().sort()).toEqual(["cold", ...Array(4).fill("template")]);
    const pids = [...ours.map((vm) => vm.pid), ...firstLine.trim().split(" ").map(Number)];
    expect(new Set(pids.map((pid) => readEntry(pid)?.templateKey)).size).toBe(1);
    for (const pid of pids) {
      const vm = await attach({ pid });
      expect((await vm.exec("uname -s")).stdout).toBe("Linux\n");
      machines.push(vm);
    }
    expect(readdirSync(templatesRoot()).filter((name) => name.startsWith(".staging"))).toEqual([]);
    await killAll();
  });

  test("each machine has its own name, command, environment, directory, time and random numbers", async () => {
    const random = "head -c 16 /dev/urandom | od -An -tx1";
    const cmd = [
      "/bin/sh",
      "-c",
      `echo $WHO at $PWD on $(hostname): $(${random}); date +%s; echo end`,
    ];
    const two = await Promise.all(
      ["one", "two"].map((name) =>
        booted({
          ...options,
          name,
          cmd,
          env: { WHO: name.toUpperCase() },
          guestCwd: `/${name === "one" ? "tmp" : "etc"}`,
        }),
      ),
    );
    const said = await Promise.all(two.map((vm) => vm.errorOutput()));
    const words = said.map((text) =>
      /(\w+) at (\/\w+) on (\w+): ([0-9a-f ]{30,})\s+(\d+)/.exec(text)!.slice(1),
    );
    expect(words.map((found) => found.slice(0, 3))).toEqual([
      ["ONE", "/tmp", "one"],
      ["TWO", "/etc", "two"],
    ]);
    expect(words[0]![3]).not.toBe(words[1]![3]);
    for (const [, , , , seconds] of words) {
      expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(30);
    }
    expect(await Promise.all(two.map((vm) => vm.wait()))).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
    expect(startsSeen()).toEqual(["template", "template"]);
    machines.length = 0;
  });

  test("a detached boot is ready when it resolves, and its log says how it began", async () => {
    const vm = await booted({ ...options, detached: true, name: "quiet" });
    expect((await vm.exec("hostname")).stdout).toBe("quiet\n");
    const log = readFileSync(bootSnapshotPath(vm.pid), "utf8");
    expect(log).toContain(`machinen: ready (started from the template ${templateOf(vm)})`);
    expect(existsSync(join(readEntry(vm.pid)!.runDir!, "initrd.cpio"))).toBe(false);
    await killAll();
  });

  test("another shape has another template; a name that is taken starts nothing", async () => {
    const small = await booted({ ...options, name: "small" });
    const large = await booted({ ...options, memory: 320 });
    expect(templateOf(large)).not.toBe(templateOf(small));
    expect(startsSeen()).toEqual(["template", "cold", "template"]);
    await expect(boot({ ...options, memory: 384, name: "small" })).rejects.toMatchObject({
      code: "REGISTRY_NAME_IN_USE",
    });
    expect(startsSeen()).toEqual([]);
    await killAll();
  });

  test("can be turned off, by the call and by the environment", async () => {
    const one = await booted({ ...options, template: false });
    process.env.MACHINEN_TEMPLATES = "0";
    const two = await booted(options);
    delete process.env.MACHINEN_TEMPLATES;
    expect([one, two].map(templateOf)).toEqual([undefined, undefined]);
    expect((await two.exec("echo works")).stdout).toBe("works\n");
    expect(startsSeen()).toEqual(["cold", "cold"]);
    await killAll();
  });

  test.each([
    [
      "of the wrong size",
      "memory.img",
      (file: string) => truncateSync(file, 4096),
      ["cold", "template"],
    ],
    [
      "written to",
      "device.state",
      (file: string) => appendFileSync(file, "x"),
      ["cold", "template"],
    ],
  ])("one with a file %s is made again, silently", async (_how, name, spoil, expected) => {
    expect(listTemplates().length).toBeGreaterThan(0);
    for (const { directory } of listTemplates()) spoil(join(directory, name));
    const vm = await booted(options);
    expect((await vm.exec("echo works")).stdout).toBe("works\n");
    expect(startsSeen()).toEqual(expected);
    await killAll();
  });

  test("one that looks whole but cannot be loaded is made again, once", async () => {
    const { directory } = findTemplate(templateOf(await booted(options))!)!;
    await killAll();
    startsSeen();
    const state = join(directory, "device.state");
    const bytes = readFileSync(state);
    writeFileSync(state, Buffer.alloc(bytes.length, 0xee));
    makeLookWhole(directory, "device.state");
    const vm = await booted({ ...options, name: "phoenix" });
    expect((await vm.exec("hostname")).stdout).toBe("phoenix\n");
    expect(startsSeen()).toEqual(["template", "cold", "template"]);
    await killAll();
  });

  test("one that the disk gives back wrong is made again, when the host has been started anew", async () => {
    const { directory } = findTemplate(templateOf(await booted(options))!)!;
    await killAll();
    startsSeen();
    const memory = join(directory, "memory.img");
    const before = readFileSync(memory);
    const at = before.findIndex((byte) => byte !== 0);
    const file = openSync(memory, "r+");
    writeSync(file, Buffer.from([before[at]! ^ 1]), 0, 1, at);
    closeSync(file);
    makeLookWhole(directory, "memory.img");
    writeFileSync(join(directory, "verified"), "another start of the host\n");
    const vm = await booted({ ...options, name: "healed" });
    expect((await vm.exec("hostname")).stdout).toBe("healed\n");
    expect(startsSeen()).toEqual(["template", "cold", "template"]);
    await killAll();
    await booted(options);
    expect(startsSeen()).toEqual(["template"]);
    await killAll();
  });

  test("a builder that is killed leaves nothing, and the next in line takes over", async () => {
    collectTemplates();
    const first = runInOtherProcess(
      `import { boot } from "./machine/boot.ts";
       console.log("begun");
       await boot(${JSON.stringify(options)});`,
    );
    const { process: builder } = await first;
    await expect.poll(builderPid, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
    const hidden = identify(builderPid()!)!;
    expect(list()).toEqual([]);
    const second = booted(options);
    builder.kill("SIGKILL");
    expect(await waitUntilGone([hidden], 60_000)).toBe(true);
    const vm = await second;
    expect((await vm.exec("echo works")).stdout).toBe("works\n");
    expect(startsSeen()).toEqual(["cold", "cold", "template"]);
    expect(isRunning(hidden)).toBe(false);
    await killAll();
  });

  test("gc keeps what runs and removes the rest", async () => {
    const vm = await booted(options);
    await booted({ ...options, memory: 320 });
    await machines.pop()!.kill();
    const kept = templateOf(vm);
    expect(collectTemplates({ dryRun: true }).length).toBe(1);
    collectTemplates();
    expect(listTemplates().map(({ key }) => key)).toEqual([kept]);
    expect((await vm.exec("echo works")).stdout).toBe("works\n");
    await killAll();
  });
});
