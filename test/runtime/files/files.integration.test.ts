import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
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
import { packageRoot } from "../../../src/runtime/package-root.ts";
import { list, readEntry } from "../../../src/runtime/registry/index.ts";
import { restore } from "../../../src/runtime/snapshot/restore.ts";
import { bases } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";
import { accessList, attributesOf } from "./attributes.ts";
import { tar } from "./tar-maker.ts";
import { describeTree, makeTree, useScratchDirectory } from "./trees.ts";

const registry = useScratch();
const allScratch = useScratchDirectory();
afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  registry.remove();
});

const cliPath = join(packageRoot(), "dist/cli.js");
const programs = `PATH=/usr/bin:/bin; ls -1A /tmp/got | wc -l; stat -c '%a %Y' /tmp/got/run.sh`;

/** Written into the guest, where a program of the guest looks at it. */
describe.each(bases)(
  "files of a real guest on the $name base",
  ({ name: base, options, keepsAttributes }) => {
    let vm: Machine;
    const scratch = (name: string) => allScratch(join(base, name));
    const mkdir = (name: string) => {
      mkdirSync(scratch(name), { recursive: true });
      return scratch(name);
    };

    beforeAll(async () => {
      mkdir(".");
      vm = await boot({ ...options, timeoutMs: null, name: `files-${base}` });
    });
    afterAll(async () => vm?.kill());

    test("a tree goes in and comes back the same, without a tar in the guest", async () => {
      await vm.exec("mkdir /tmp/hidden; for f in tar base64; do rm -f /bin/$f /usr/bin/$f; done");
      makeTree(scratch("tree"));
      const expected = describeTree(scratch("tree"));
      await vm.push(scratch("tree"), "/tmp/got");
      expect((await vm.exec(programs)).stdout).toBe(
        `${readdirSync(scratch("tree")).length}\n750 1000000000\n`,
      );
      await vm.pull("/tmp/got", scratch("back"));
      expect(describeTree(scratch("back"))).toEqual(expected);
    });

    test("extended attributes go in and come back; rights come in only, and with owners", async () => {
      const records = { "SCHILY.xattr.user.note": "kept", "SCHILY.xattr.user.overlay.x": "never" };
      const given = { ...records, "SCHILY.xattr.system.posix_acl_access": accessList(1234) };
      const archive = tar(
        { path: "plain", data: "x", records },
        {
          path: "listed",
          mode: 0o640,
          data: "x",
          records: process.getuid!() === 0 ? given : records,
        },
      );
      const program = join(packageRoot(), "archive/build/machinen-archive");
      execFileSync(program, ["unpack", "--owner", scratch("noted")], { input: archive });
      const expected = attributesOf(scratch("noted"));
      expect(expected["./plain"]).toEqual({ "user.note": "kept" });
      await vm.push(scratch("noted"), "/root/noted", { owner: true });
      await vm.pull("/root/noted", scratch("noted back"), { owner: true });
      const back = attributesOf(scratch("noted back"));
      // That a root has none is no failure.
      if (!keepsAttributes) return expect(back["./plain"]).toBeUndefined();
      expect(back).toEqual(expected);

      await vm.exec(
        "mkdir /root/able && cp /bin/cat /root/able && setcap cap_net_raw+ep /root/able/cat",
      );
      await vm.pull("/root/able", scratch("able"), { owner: true });
      expect(attributesOf(scratch("able"))).toEqual({});
      if (process.getuid!() !== 0) return;
      execFileSync("setcap", ["cap_net_raw+ep", join(scratch("able"), "cat")]);
      await vm.push(scratch("able"), "/root/given", { owner: true });
      await vm.push(scratch("able"), "/root/not-given");
      expect((await vm.exec("getcap /root/given/cat /root/not-given/cat")).stdout).toBe(
        "/root/given/cat cap_net_raw=ep\n",
      );
    });

    test("a fork and a restored machine have files of their own", async () => {
      await vm.exec("mkdir -p /tmp/mine && echo parent > /tmp/mine/who");
      const fork = await vm.fork();
      expect(readEntry(fork.pid)!.filesPath).not.toBe(readEntry(vm.pid)!.filesPath);
      writeFileSync(join(mkdir("note"), "who"), "fork");
      await fork.push(scratch("note"), "/tmp/mine");
      await vm.pull("/tmp/mine", scratch("of parent"));
      await (await attach({ pid: fork.pid })).pull("/tmp/mine", scratch("of fork"));
      expect(readFileSync(scratch("of parent/who"), "utf8")).toBe("parent\n");
      expect(readFileSync(scratch("of fork/who"), "utf8")).toBe("fork");
      const { snapDir } = await fork.snapshot({ outDir: scratch("bundle") });
      const restored = await restore({ snapDir });
      await restored.pull("/tmp/mine", scratch("of restored"));
      expect(readFileSync(scratch("of restored/who"), "utf8")).toBe("fork");
      await restored.kill();
    });

    test("a full disk of the guest ends the transfer and hurts nothing else", async () => {
      await vm.exec("mkdir -p /mnt/small && mount -t tmpfs -o size=1m none /mnt/small");
      writeFileSync(join(mkdir("large"), "a"), Buffer.alloc(8 << 20, 1));
      await expect(vm.push(scratch("large"), "/mnt/small/in")).rejects.toMatchObject({
        code: "FILES_TRANSFER_FAILED",
        message:
          "the transfer stopped; what had been copied was left:\n./a: No space left on device",
      });
      expect((await vm.exec("ls -A /mnt/small/in; df /mnt/small | tail -1")).stdout).toMatch(
        /^none +1024 +0 /,
      );
      await vm.exec("umount /mnt/small");
    });

    test("a transfer whose client is killed leaves nothing behind", async () => {
      const sender = spawn(process.execPath, [cliPath, "cp", "-", `files-${base}:/tmp`], {
        stdio: ["pipe", "ignore", "inherit"],
      });
      // What was not taken yet when it is killed has nowhere to go.
      sender.stdin.on("error", () => {});
      const whole = tar({ path: "never whole", data: Buffer.alloc(1 << 20) });
      sender.stdin.write(whole.subarray(0, whole.length - 2048));
      const transfers = "grep -lx machinen-files /proc/[0-9]*/comm | wc -l";
      const wait = (count: number) =>
        vm.exec(`until test $(${transfers}) = ${count}; do sleep 0.05; done`);
      await wait(1);
      sender.kill("SIGKILL");
      await wait(0);
      const { stdout } = await vm.exec("ls -A /tmp");
      expect(stdout).not.toMatch(/never|machinen/);
    });

    test("a hostile guest cannot hang or escape: its bytes are an archive, or nothing", async () => {
      mkdirSync(scratch("into"));
      symlinkSync("/etc", scratch("into/etc"));
      await vm.exec(
        "mkdir -p /tmp/evil/etc && echo x > /tmp/evil/etc/machinen-evil && ln -s / /tmp/evil/slash",
      );
      await vm.pull("/tmp/evil", scratch("into"));
      expect(existsSync("/etc/machinen-evil")).toBe(false);
      expect(readdirSync(scratch("into/etc"))).toEqual(["machinen-evil"]);
    });

    test("the command line copies like docker", () => {
      const cli = (...args: string[]) =>
        spawnSync(join(packageRoot(), "bin/machinen"), args, { encoding: "utf8" });
      makeTree(scratch("site"));
      expect(cli("cp", join(scratch("site"), "run.sh"), `files-${base}:/data/`).status).toBe(1);
      expect(cli("exec", `files-${base}`, "mkdir -p /data").status).toBe(0);
      expect(cli("cp", scratch("site"), `files-${base}:data`)).toMatchObject({
        status: 0,
        stdout: "",
        stderr: "",
      });
      expect(cli("cp", `files-${base}:/data/site/run.sh`, scratch("run.sh")).status).toBe(0);
      expect(readFileSync(scratch("run.sh"), "utf8")).toBe("#!/bin/sh\n");
      expect(
        cli("cp", `files-${base}:/data/site`, scratch("site back"), "--exclude", "sparse,sub")
          .status,
      ).toBe(0);
      expect(readdirSync(scratch("site back"))).toEqual(
        readdirSync(scratch("site")).filter((name) => name !== "sparse" && name !== "sub"),
      );
      const archive = execFileSync(join(packageRoot(), "bin/machinen"), [
        "cp",
        `files-${base}:/data/site/secret`,
        "-",
      ]);
      expect(execFileSync("tar", ["tf", "-"], { input: archive }).toString()).toBe("secret\n");
      expect(cli("cp", scratch("nope"), `files-${base}:/x`).stderr).toMatch(
        /^FILES_HOST_DIR_NOT_FOUND: .*nope does not exist\nnext: /,
      );
      expect(cli("cp", "a", "b").status).toBe(2);
      expect(cli("cp", `files-${base}:/nope`, scratch("x")).stderr).toMatch(
        /^FILES_TRANSFER_FAILED: \/nope does not exist\n/,
      );
    });

    test("100,000 files in bounded memory", async () => {
      const root = mkdir("many");
      execFileSync("sh", [
        "-c",
        `cd "$0" && for d in $(seq 100); do mkdir $d && (cd $d && seq 1000 | xargs touch); done`,
        root,
      ]);
      // A root in memory has room for fewer; one on a disk takes them itself.
      await vm.exec(
        options.rootDisk
          ? "mkdir /tmp/many"
          : "mkdir /tmp/many && mount -t tmpfs -o nr_inodes=0,size=200m none /tmp/many",
      );
      await vm.push(root, "/tmp/many");
      expect(
        (await vm.exec("find /tmp/many -type f | wc -l; rm -rf /tmp/many/[2-9]*")).stdout,
      ).toBe("100000\n");
      await vm.pull("/tmp/many", scratch("many back"));
      expect(readdirSync(scratch("many back/1"))).toHaveLength(1000);
    }, 300_000);
  },
);
