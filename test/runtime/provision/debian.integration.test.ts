import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { boot } from "../../../src/runtime/machine/index.ts";
import { provision } from "../../../src/runtime/provision/index.ts";
import { onlyBase } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
afterAll(() => scratch.remove());

/** Whether this host's own apt reaches its archive; else the test says so instead of blaming the guest. */
function requireArchive(): void {
  try {
    execFileSync(
      "sh",
      ["-c", 'cd "$1" && apt-get download -q -o APT::Sandbox::User=root tree', "sh", scratch.path],
      {
        stdio: ["ignore", "ignore", "pipe"],
        encoding: "utf8",
        timeout: 60_000,
      },
    );
  } catch (error) {
    const words = String((error as { stderr?: string }).stderr ?? error).trim();
    throw new Error(
      `this test installs a package from the Debian archive, which this host's own apt does not reach: ${words}`,
    );
  }
}

test.skipIf(onlyBase("debian").length === 0)(
  "a Debian image with a package from the archive, its files' capabilities and nothing of the host's",
  async () => {
    requireArchive();
    const out = join(scratch.path, "debian.tar");
    const warnings: string[] = [];
    await provision({
      out,
      memory: 512,
      cmd: ["/usr/bin/tree", "--version"],
      onWarning: (warning) => warnings.push(warning),
      install: async (vm) => {
        // The indexes of updates alone would do, but which packages are there changes.
        await vm.exec("apt-get update -o Acquire::Languages=none", { execTimeoutMs: 400_000 });
        await vm.exec("apt-get install -y --no-install-recommends tree", {
          execTimeoutMs: 200_000,
        });
        await vm.exec(
          "rm -r /var/lib/apt/lists/*; cp /usr/bin/cat /opt/cat; setcap cap_net_raw+ep /opt/cat",
        );
      },
    });
    expect(warnings).toEqual([]);
    const names = execFileSync("tar", ["-tf", out], { encoding: "utf8", maxBuffer: 1 << 26 });
    expect(names).toContain("./usr/bin/tree\n");
    expect(names).not.toMatch(/machinen-build|^\.\/(proc|sys|dev\/shm|run\/machinen)\/./m);
    expect(statSync(out).size).toBeLessThan(512 * 1024 * 1024);

    const vm = await boot({ image: out, cmd: [], memory: 512 });
    expect((await vm.exec("tree --version; dpkg -s tree | grep Status")).stdout).toMatch(
      /^tree v.*\nStatus: install ok installed\n$/,
    );
    const caps = await vm.exec("getcap /opt/cat /usr/bin/ping; env | grep -c APT_CONFIG || true");
    expect(caps.stdout).toMatch(/\/opt\/cat cap_net_raw=ep\n\/usr\/bin\/ping cap_net_raw=ep\n0\n/);
    await vm.kill();

    const job = await boot({ image: out, memory: 512 });
    await job.wait();
    expect(await job.errorOutput()).toContain("tree v");
  },
  900_000,
);
