import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { bases } from "../machine/bases.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const mount = { host: join(scratch.path, "host"), guest: "/mnt/first" };
/** Each base once has the mount first, and is once given what the other made of it. */
const ways = bases.map((from, index) => ({ from, to: bases[(index + 1) % bases.length]! }));
mkdirSync(join(mount.host, "sub"), { recursive: true });
writeFileSync(join(mount.host, "file"), "content\n");
writeFileSync(join(mount.host, "tool"), "");
writeFileSync(join(mount.host, "sub/secret"), "secret\n");

afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  expect(scratch.runDirs()).toEqual([]);
  scratch.remove();
});

test.each(ways)(
  "a machine with a mount ($to.name) can be made from the two layers of a bundle ($from.name), which stay as they are",
  async ({ from, to }) => {
    const source = await boot({ ...from.options, mount, name: "layers" });
    await source.exec(`cd ${mount.guest} && echo written > file && rm tool`);
    const { snapDir } = await source.snapshot({ outDir: join(scratch.path, from.name) });
    const lowerPath = join(snapDir, "mount-lower.sqfs");
    const upperPath = join(snapDir, "mount-upper.img");
    // Not a checksum of contents: the upper one is 4 GiB large, and any write changes its time.
    const states = () =>
      [lowerPath, upperPath].map((path) => {
        const { mtimeNs, size, blocks } = statSync(path, { bigint: true });
        return [mtimeNs, size, blocks];
      });
    const before = states();
    const _restoreMountDisk = { guest: "/mnt/again", lowerPath, upperPath };
    const vm = await boot({ ...to.options, name: "again", _restoreMountDisk });
    const look = "cd /mnt/again && cat file sub/secret && ls -d tool";
    expect((await vm.execRaw(look)).stdout).toBe("written\nsecret\n");
    await vm.exec("echo on > /mnt/again/file; sync");
    const fork = await vm.fork({ name: "fork-of-again" });
    expect((await fork.exec("cat /mnt/again/file")).stdout).toBe("on\n");
    await Promise.all([fork.kill(), vm.kill()]);
    expect(states()).toEqual(before);

    const refused = async (change: object) =>
      (
        await rejection(
          boot({
            ...to.options,
            _restoreMountDisk: { ..._restoreMountDisk, ...change },
          }),
        )
      ).code;
    expect(await refused({ upperPath: join(snapDir, "none") })).toBe("BOOT_MOUNT_HOST_NOT_FOUND");
    expect(await refused({ guest: "/mnt/../etc" })).toBe("BOOT_MOUNT_INVALID");
  },
);
