import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Machine, makeInitramfs } from "./machine.ts";
import { makeFileSystem, useMachines } from "./use-machines.ts";

const { scratch, keep, quitAll } = useMachines();
const lower = join(scratch.path, "lower.sqfs");
const upper = join(scratch.path, "upper.img");
const disks = { MACHINEN_MOUNT_LOWER: lower, MACHINEN_MOUNT_UPPER: upper };
const sum = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
let sums: string[];

const boot = (config: object, env: Record<string, string> = disks) =>
  keep(Machine.boot(scratch.path, makeInitramfs(scratch.path, config), env));
const fork = (machine: Machine) => keep(machine.fork(scratch.path));

function pack(name: string, text: string): string {
  const tree = join(scratch.path, `${name}.d`);
  const image = join(scratch.path, `${name}.sqfs`);
  mkdirSync(join(tree, "sub"), { recursive: true });
  writeFileSync(join(tree, "file"), text);
  writeFileSync(join(tree, "sub/deep"), `${text} deep`);
  symlinkSync("sub/deep", join(tree, "link"));
  execFileSync("mksquashfs", [tree, image, "-noappend", "-quiet", "-no-progress", "-all-root"]);
  return image;
}

/** e2fsck's judgement of an image, after it did what a mount would do first. */
function isSound(image: string): boolean {
  const copy = `${image}.checked`;
  execFileSync("cp", ["--sparse=always", image, copy]);
  const repaired = execFileSync("sh", ["-c", `/sbin/e2fsck -fp ${copy}; echo $?`], {
    encoding: "utf8",
  });
  // 1: the journal was replayed. Anything else that had to be repaired makes it a 4.
  return Number(repaired.trim().split("\n").at(-1)) <= 1;
}

beforeAll(() => {
  pack("lower", "packed");
  makeFileSystem(upper, 64, "-J", "size=4");
  sums = [lower, upper].map(sum);
});
afterEach(async () => {
  await quitAll();
  expect([lower, upper].map(sum)).toEqual(sums);
});

describe("a mount", () => {
  it("is in every fork what it was in its parent, and goes its own way from there", async () => {
    const first = boot({ mount: "/mnt/a b/work" });
    expect(await first.run("cd '/mnt/a b/work' && cat file link && ls")).toBe(
      "packedpacked deepfile\nlink\nsub\n",
    );
    // The disks themselves are nobody's business: only the joined tree is to be seen.
    expect(await first.run("grep -c -e squashfs -e vd[a-z] /proc/mounts || true")).toBe("0\n");
    expect(await first.run("cat /sys/block/vda/ro /sys/block/vdb/ro")).toBe("1\n0\n");
    await first.run("cd '/mnt/a b/work' && echo 1 > new");
    const second = fork(first);
    await second.run("cd '/mnt/a b/work' && cat new && echo 2 > new && rm link && mv sub renamed");
    const third = fork(second);
    await third.run("cd '/mnt/a b/work' && echo 3 > new && echo changed > file && sync");
    const look = "cd '/mnt/a b/work' && echo 3 > /proc/sys/vm/drop_caches; ls; cat new file */deep";
    expect(await first.run(look)).toBe("file\nlink\nnew\nsub\n1\npackedpacked deep");
    expect(await second.run(look)).toBe("file\nnew\nrenamed\n2\npackedpacked deep");
    expect(await third.run(look)).toBe("file\nnew\nrenamed\n3\nchanged\npacked deep");

    const bundle = third.save(join(scratch.path, "chain"));
    expect(sum(join(bundle, "mount-lower.sqfs"))).toBe(sums[0]);
    expect(isSound(join(bundle, "mount-upper.img"))).toBe(true);
    await third.run("umount '/mnt/a b/work'");
    const unmounted = third.save(join(scratch.path, "unmounted"));
    execFileSync("/sbin/e2fsck", ["-fn", join(unmounted, "mount-upper.img")], { stdio: "pipe" });
    const read = ["-R", "cat /data/file", join(unmounted, "mount-upper.img")];
    expect(execFileSync("/sbin/debugfs", read, { stdio: "pipe", encoding: "utf8" })).toBe(
      "changed\n",
    );
  }, 180_000);

  it("comes back from a bundle, also when its files lie elsewhere", async () => {
    const first = boot({ mount: "/mnt/work" });
    await first.run("cd /mnt/work; echo kept > new; dd if=/dev/urandom of=big bs=1M count=9");
    const big = await first.run("md5sum < /mnt/work/big");
    const bundle = first.save(join(scratch.path, "bundle"));
    await first.quit();
    const elsewhere = {
      MACHINEN_MOUNT_LOWER: join(scratch.path, "moved.sqfs"),
      MACHINEN_MOUNT_UPPER: join(scratch.path, "moved.img"),
    };
    const look = "cd /mnt/work && echo 3 > /proc/sys/vm/drop_caches; cat new file; md5sum < big";
    const restored = keep(new Machine(scratch.path, { MACHINEN_INCOMING: `bundle:${bundle}` }));
    expect(await restored.run(look)).toBe(`kept\npacked${big}`);
    renameSync(join(bundle, "mount-lower.sqfs"), elsewhere.MACHINEN_MOUNT_LOWER);
    renameSync(join(bundle, "mount-upper.img"), elsewhere.MACHINEN_MOUNT_UPPER);
    const incoming = { MACHINEN_INCOMING: `bundle:${bundle}` };
    const again = keep(new Machine(scratch.path, { ...incoming, ...elsewhere }));
    expect(await again.run(look)).toBe(`kept\npacked${big}`);
    const copy = fork(again);
    expect(await copy.run(look)).toBe(`kept\npacked${big}`);

    const missing = new Machine(scratch.path, incoming);
    expect(await missing.ended).toEqual({ code: 4, signal: null });
    expect(missing.console).toContain("BUNDLE_IO: mount-lower.sqfs: No such file or directory");
    truncateSync(elsewhere.MACHINEN_MOUNT_UPPER, statSync(upper).size - 4096);
    const damaged = new Machine(scratch.path, { ...incoming, ...elsewhere });
    expect(await damaged.ended).toEqual({ code: 4, signal: null });
    expect(damaged.console).toContain("BUNDLE_CORRUPT: mount-upper.img");
  }, 180_000);

  it("is put into a machine that comes from a template of another one", async () => {
    const template = boot({ wait: true, mount: true });
    expect(await template.run("true")).toBe("");
    const saved = template.save(join(scratch.path, "template"));
    await template.quit();
    const machine = (name: string) => {
      const resume = join(scratch.path, `${name}.json`);
      writeFileSync(resume, JSON.stringify({ config: { mount: `/mnt/${name}` } }));
      const env = { MACHINEN_MOUNT_LOWER: pack(name, name) };
      return keep(Machine.template(scratch.path, saved, { ...env, MACHINEN_RESUME: resume }));
    };
    for (const name of ["one", "two"]) {
      const one = machine(name);
      expect(await one.run(`cd /mnt/${name} && cat file && echo x > file && cat file`)).toBe(
        `${name}x\n`,
      );
    }
  }, 180_000);

  it("is refused with a reason when it cannot be what it was said to be", async () => {
    const initrd = makeInitramfs(scratch.path, {});
    const tiny = join(scratch.path, "tiny.img");
    writeFileSync(tiny, "no image");
    const wrong: Array<[Record<string, string>, string]> = [
      [{ MACHINEN_MOUNT_LOWER: lower }, "goes together with MACHINEN_MOUNT_UPPER"],
      [{ ...disks, MACHINEN_MOUNT_UPPER: tiny }, "is not a disk image"],
      [{ ...disks, MACHINEN_MOUNT_LOWER: join(scratch.path, "none") }, "No such file"],
      [{ ...disks, MACHINEN_INCOMING: "template:/none" }, "is the template's own"],
    ];
    for (const [env, reason] of wrong) {
      const machine = Machine.boot(scratch.path, initrd, env);
      expect(await machine.ended).toEqual({ code: 2, signal: null });
      expect(machine.console).toMatch(/^CONFIG_INVALID: MACHINEN_MOUNT_/);
      expect(machine.console).toContain(reason);
    }
  });

  it("that is no file system the guest knows ends the machine and says so", async () => {
    const garbage = join(scratch.path, "garbage.sqfs");
    writeFileSync(garbage, Buffer.alloc(65536, "hsqs"));
    const env = { ...disks, MACHINEN_MOUNT_LOWER: garbage };
    const machine = boot({ mount: "/mnt/work", cmd: ["/bin/sleep", "1000"] }, env);
    expect(await machine.ended).toEqual({ code: 0, signal: null });
    expect(machine.console).toContain("mount /mnt/work: ");
  }, 60_000);
});
