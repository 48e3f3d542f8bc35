import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { Machine } from "../../../src/runtime/machine/vm-handle.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "../machine/bases.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

/** A `mount` for a machine that is made from another: a fork or a restore. */
const scratch = useScratch();
const host = join(scratch.path, "given dir");
const older = join(scratch.path, "older");
const guest = "/mnt/given/wörk";
const mount = { host, guest };
const names = () => readdirSync(host).sort();

const say = async (vm: Machine, command: string): Promise<string> =>
  (await vm.exec(`cd ${guest} && ${command}`)).stdout;

beforeAll(() => {
  mkdirSync(join(host, "sub"), { recursive: true });
  mkdirSync(older);
  writeFileSync(join(older, "file"), "older\n");
  writeFileSync(join(host, "file"), "content\n");
  writeFileSync(join(host, "tool"), "#!/bin/sh\necho tool\n", { mode: 0o755 });
  writeFileSync(join(host, "sub/secret"), "secret\n", { mode: 0o600 });
  symlinkSync("sub/secret", join(host, "link"));
  chmodSync(host, 0o750);
});
afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  expect(scratch.runDirs()).toEqual([]);
  scratch.remove();
});

describe.each(bases)("a directory given on the $name base", ({ name: base, options }) => {
  let vm: Machine;
  beforeAll(async () => {
    vm = await boot({ ...options, name: `giver-${base}` });
  });
  afterAll(async () => vm?.kill());

  test("to a fork is there with its owners, modes and links, and stays in it", async () => {
    const fork = await vm.fork({ mount });
    expect(await say(fork, "cat file link; ./tool; stat -c '%a %U' . file sub/secret")).toBe(
      "content\nsecret\ntool\n750 root\n644 root\n600 root\n",
    );
    expect(await say(fork, "grep ' /mnt/given' /proc/mounts")).toMatch(/nosuid,nodev/);
    await say(fork, "echo more >> file; rm -r sub; echo new > new");
    expect(readFileSync(join(host, "file"), "utf8")).toBe("content\n");
    expect(names()).toEqual(["file", "link", "sub", "tool"]);
    expect((await vm.execRaw("ls /mnt/given")).exitCode).not.toBe(0);

    // It is the machine's own: its copies have it, with what was written.
    const child = await fork.fork();
    await say(child, "echo child >> file");
    expect(await say(fork, "cat file new")).toBe("content\nmore\nnew\n");
    const { snapDir } = await fork.snapshot({ outDir: join(scratch.path, `kept-${base}`) });
    expect(await say(child, "cat file new")).toBe("content\nmore\nchild\nnew\n");
    const restored = await restore({ snapDir });
    expect(await say(restored, "cat file new")).toBe("content\nmore\nnew\n");
    await Promise.all([child.kill(), restored.kill()]);

    // Another one at the same place is seen instead, by who looks from then on.
    const again = await restore({ snapDir, mount: { host: older, guest } });
    expect(await say(again, "cat file; ls")).toBe("older\nfile\n");
    await again.kill();
  });

  test("may be where commands start, whatever their environment", async () => {
    const fork = await vm.fork({ mount, guestCwd: guest, env: { PATH: "/nowhere" } });
    expect((await fork.exec("pwd; /bin/cat file")).stdout).toBe(`${guest}\ncontent\n`);
    await fork.kill();
  });

  test("to prepared forks and to several of one moment", async () => {
    await vm.prepareFork();
    const forks = [await vm.fork({ mount }), ...(await vm.forkMany(2, { mount }))];
    for (const fork of forks) expect(await say(fork, "cat file")).toBe("content\n");
    await Promise.all(forks.map((fork) => fork.kill()));
  });

  test("that does not fit, or whose place is taken, leaves no machine", async () => {
    const before = list().map(({ pid }) => pid);
    const covered = { host: older, guest: `${guest}/live` };
    const live = await rejection(vm.fork({ mount, liveMounts: [covered] }));
    expect([live.code, live.message]).toEqual([
      "BOOT_MOUNT_INVALID",
      `mount ${host}:${guest}: it would cover the live mount at ${covered.guest}`,
    ]);
    const nowhere = { host: join(scratch.path, "nowhere"), guest };
    expect((await rejection(vm.fork({ mount: nowhere }))).code).toBe("BOOT_MOUNT_HOST_NOT_FOUND");

    // A file where the directory would have to be made.
    await vm.exec("mkdir -p /mnt && echo > /mnt/given");
    const error = await rejection(vm.fork({ mount }));
    expect(error.code).toBe("BOOT_PACK_FAILED");
    expect(error.message).toContain("could not be copied into the machine: mkdir");
    await vm.exec("rm /mnt/given");
    expect(list().map(({ pid }) => pid)).toEqual(before);
  });
});

test.each(bases)(
  "a machine that has a mount is given another beside it, or over it ($name)",
  async ({ options }) => {
    const own = { host: older, guest: "/mnt/own" };
    const vm = await boot({ ...options, mount: own });
    await vm.exec("echo written > /mnt/own/written");
    const beside = await vm.fork({ mount });
    expect(await say(beside, "cat file /mnt/own/file /mnt/own/written")).toBe(
      "content\nolder\nwritten\n",
    );
    const over = await vm.fork({ mount: { host, guest: own.guest } });
    expect((await over.exec("cat /mnt/own/file; ls /mnt/own")).stdout).toBe(
      "content\nfile\nlink\nsub\ntool\n",
    );
    expect((await vm.exec("cat /mnt/own/file")).stdout).toBe("older\n");
    await Promise.all([vm, beside, over].map((machine) => machine.kill()));
  },
);
