import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImageConfig, resolveImage } from "../../../src/runtime/images/index.ts";
import type { LogEvent } from "../../../src/runtime/log.ts";
import { boot } from "../../../src/runtime/machine/index.ts";
import { bases, slim } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";
import { Builds } from "./builds.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

describe.each(bases)("an image made from the $name base", (base) => {
  const builds = new Builds(scratch, base);
  const { images, out } = builds;
  const events: LogEvent[] = [];

  beforeAll(async () => {
    const result = await builds.build(
      async (vm) => {
        await vm.writeFile("/opt/tool/run", "#!/bin/sh\necho ran in $PWD with $MODE $KEPT\n", {
          mode: 0o755,
        });
        await vm.exec(slim(base));
        await vm.exec(
          `cd /opt && echo x > data && chown 1000:2000 data && chmod 4711 data && ln data hard &&
           ln -s data soft && mkfifo pipe && mknod null c 1 3 && truncate -s 3G holes &&
           printf end | dd of=holes bs=1 seek=3000000000 conv=notrunc 2>/dev/null &&
           touch -d '2001-02-03 04:05:06' data && mkdir -m 2775 "a b" && echo n > "$(printf 'new\\nline')" &&
           echo gone > /run/gone && echo gone > /dev/shm/gone && mkdir /mnt/tmpfs &&
           mount -t tmpfs none /mnt/tmpfs && echo gone > /mnt/tmpfs/gone && echo heard`,
        );
      },
      {
        cmd: ["/opt/tool/run"],
        env: { MODE: "production", KEPT: "yes" },
        guestCwd: "/opt",
        onLog: (event) => events.push(event),
      },
    );
    expect(result.imagePath).toBe(out);
    expect(result.sizeBytes).toBe(statSync(out).size);
    expect(result.elapsedMs).toBeGreaterThan(0);
    builds.expectNothingLeft();
  });

  test("says what happened, and keeps no log of it", () => {
    const phases = events.flatMap((e) =>
      e.source === "phase" && e.kind === "provision" ? [e] : [],
    );
    expect(phases).toHaveLength(1);
    expect([...phases[0]!.phases.keys()]).toEqual(["boot", "install", "archive", "publish"]);
    const printed = events.flatMap((e) => (e.source === "exec-stdout" ? [String(e.chunk)] : []));
    expect(printed).toContain("heard\n");
    expect(readdirSync(builds.logs)).toEqual([]);
  });

  test("is a tarball with what was made, without what was mounted", () => {
    const listing = execFileSync("tar", ["-tvzf", out, "--numeric-owner", "--full-time"], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    const rows = listing.replace(/^.*busybox\n/gm, "");
    expect(rows).toMatch(/^-rws--x--x 1000\/2000 +2 2001-02-03 04:05:06 +\.\/opt\/data$/m);
    expect(rows).toMatch(/^hrws--x--x .* \.\/opt\/hard link to \.\/opt\/data$/m);
    expect(rows).toMatch(/^crw.* 1,3 .* \.\/opt\/null$/m);
    expect(rows).toMatch(/^drwxrwsr-x .* \.\/opt\/a b$/m);
    expect(rows).toMatch(/ 3221225472 .* \.\/opt\/holes$/m);
    expect(rows).toContain("./opt/new\\nline");
    expect(rows).toMatch(/ \.\/proc$/m);
    expect(rows).not.toMatch(/\/gone$| \.\/proc\/.| \.\/sys\/.|\.\/lost\+found/m);
    const added = statSync(out).size - statSync(resolveImage(base.name)).size;
    expect(added).toBeLessThan(6 * 1024 * 1024);
  });

  test("carries its command, environment and directory, remembered from the build", () => {
    const config = {
      cmd: ["/opt/tool/run"],
      env: { MODE: "production", KEPT: "yes" },
      cwd: "/opt",
    };
    expect(readImageConfig(out)).toEqual(config);
    const packed = execFileSync("tar", ["-xOzf", out, "./machinen-config.json"], {
      encoding: "utf8",
    });
    expect(JSON.parse(packed)).toEqual(config);
  });

  test.each([true, false])("boots (on a disk: %s) and runs its command", async (rootDisk) => {
    // Three GiB of holes do not fit into the memory of a machine.
    const image = rootDisk ? out : join(images, "small.tar");
    if (!rootDisk) await builds.build((vm) => vm.exec("rm /opt/holes"), { base: out, out: image });
    const vm = await boot({
      image,
      rootDisk,
      memory: base.options.memory,
      env: { MODE: "test" },
    });
    expect(await vm.wait()).toEqual({ code: 0, signal: null });
    expect(await vm.errorOutput()).toContain("ran in /opt with test yes");
  });

  test("is a base itself; what is baked anew wins over what was there", async () => {
    const next = join(images, "next.tar.gz");
    await builds.build((vm) => vm.exec("rm -r /opt/tool /opt/holes; sync"), {
      base: out,
      out: next,
      env: { MODE: "next" },
    });
    expect(readImageConfig(next)).toEqual({
      cmd: ["/opt/tool/run"],
      env: { MODE: "next", KEPT: "yes" },
      cwd: "/opt",
    });
    const names = execFileSync("tar", ["-tzf", next], { encoding: "utf8" });
    expect(names).toContain("./opt/data");
    expect(names).not.toContain("./opt/tool");
    expect(names.match(/machinen-config/g)).toHaveLength(1);
  });
});
