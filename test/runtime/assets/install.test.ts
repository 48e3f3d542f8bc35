import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { assetNames, assetStatus, installAssets } from "../../../src/runtime/assets/index.ts";
import { temporaryDirectory } from "../images/temporary.ts";

// The tiny base is made from the host's busybox, so it is real and needs no network.
describe("installAssets", () => {
  const names = assetNames();
  let directory: string;
  const tiny = () => join(directory, names.tiny);
  const status = (kind: string) => assetStatus().find((asset) => asset.kind === kind)!;

  beforeEach(() => {
    directory = join(temporaryDirectory(), "assets");
    vi.stubEnv("MACHINEN_ASSETS_DIR", directory);
  });

  it("installs what is missing, once", async () => {
    expect(status("tiny")).toMatchObject({ state: "missing", sizeBytes: 0 });
    const steps: string[] = [];
    const onProgress = (step: string) => steps.push(step);
    const [installed] = await installAssets({ kinds: ["tiny"], onProgress });
    expect(installed).toMatchObject({ kind: "tiny", state: "present", path: tiny() });
    expect(installed!.version).toMatch(/^busybox \d/);
    expect(installed!.sizeBytes).toBe(statSync(tiny()).size);
    expect(steps.length).toBeGreaterThan(0);

    const before = statSync(tiny()).ino;
    steps.length = 0;
    await installAssets({ kinds: ["tiny"], onProgress });
    expect(steps).toEqual([]);
    expect(statSync(tiny()).ino).toBe(before);
    expect(readdirSync(directory).filter((name) => name.startsWith(".staging"))).toEqual([]);
  });

  it("makes the same bytes again, owned by root, with a working shell", async () => {
    await installAssets({ kinds: ["tiny"] });
    const first = readFileSync(tiny());
    await installAssets({ kinds: ["tiny"], force: true });
    expect(readFileSync(tiny()).equals(first)).toBe(true);

    const listing = execFileSync("tar", ["--numeric-owner", "-tvzf", tiny()], { encoding: "utf8" });
    for (const line of listing.trim().split("\n")) expect(line).toMatch(/ 0\/0 .* 1970-01-01 /);
    expect(listing).toMatch(/^drwxrwxrwt .* \.\/tmp\/$/m);
    expect(listing).toMatch(/ \.\/bin\/sh -> \/bin\/busybox$/m);
    expect(listing).not.toMatch(/sbin\/init/);

    const root = temporaryDirectory();
    execFileSync("tar", ["-xzf", tiny(), "-C", root]);
    const profile = join(root, "etc/profile");
    const script = `. ${profile}; echo "$PS1"`;
    const prompt = execFileSync(join(root, "bin/busybox"), ["sh", "-c", script]);
    expect(prompt.toString()).toBe("\\u@\\h:\\w\\$ \n");
  });

  it("lets installations at the same time take turns", async () => {
    const builds: string[] = [];
    const onProgress = (step: string) => step.startsWith("packing") && builds.push(step);
    const runs = [1, 2, 3].map(() => installAssets({ kinds: ["tiny"], onProgress }));
    for (const [result] of await Promise.all(runs)) expect(result!.state).toBe("present");
    expect(builds).toHaveLength(1);
  });

  it("finds damage, says what it is, and mends it", async () => {
    await installAssets({ kinds: ["tiny"] });
    appendFileSync(tiny(), "x");
    expect(status("tiny")).toMatchObject({ state: "damaged" });
    expect(status("tiny").problem).toContain(tiny());
    await installAssets({ kinds: ["tiny"] });
    expect(status("tiny").state).toBe("present");

    const flipped = readFileSync(tiny());
    flipped[100]! ^= 1;
    writeFileSync(tiny(), flipped);
    const deep = assetStatus({ deep: true }).find((asset) => asset.kind === "tiny")!;
    expect(deep).toMatchObject({ state: "damaged" });
    expect(deep.problem).toMatch(/checksum/);
  });

  it("replaces a base that another version made", async () => {
    await installAssets({ kinds: ["tiny"] });
    const record = tiny().replace(".tar.gz", ".json");
    writeFileSync(record, readFileSync(record, "utf8").replace(/recipe \d+/, "recipe 0"));
    expect(status("tiny").problem).toMatch(/another version/);
    await installAssets({ kinds: ["tiny"] });
    expect(status("tiny").state).toBe("present");
  });

  it("removes what a killed installation left", async () => {
    mkdirSync(join(directory, ".staging-dead"), { recursive: true });
    await installAssets({ kinds: ["tiny"] });
    expect(readdirSync(directory)).not.toContain(".staging-dead");
  });

  it("takes a base put there by hand, but no kernel without its record", () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, names.debian), "a tarball");
    writeFileSync(join(directory, names.kernel), "a kernel");
    expect(status("debian").state).toBe("present");
    expect(status("debian").version).toBeUndefined();
    expect(status("kernel").state).toBe("damaged");
  });

  it("ignores a record it cannot understand", () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, names.kernel), "a kernel");
    writeFileSync(join(directory, names.kernelRecord), '{"version":1,"files":null}');
    expect(status("kernel").state).toBe("damaged");
  });

  it("says so when the directory cannot be made", async () => {
    writeFileSync(directory, "a file");
    await expect(installAssets({ kinds: ["tiny"] })).rejects.toMatchObject({
      code: "PROVISION_ASSETS_DIR_INVALID",
    });
  });

  it("names the next step when apt is not there", async () => {
    // `flock` must still be found for the lock, so only apt is away.
    const bin = temporaryDirectory();
    for (const tool of ["flock", "sh", "cat"])
      execFileSync("/bin/ln", ["-s", whereIs(tool), join(bin, tool)]);
    vi.stubEnv("PATH", bin);
    await expect(installAssets({ kinds: ["kernel"] })).rejects.toMatchObject({
      code: "PROVISION_KERNEL_NOT_FOUND",
      message: expect.stringMatching(/Debian host with apt.*machinen install kernel/s),
    });
    expect(status("kernel").state).toBe("missing");
  });
});

function whereIs(tool: string): string {
  const path = process.env.PATH ?? "";
  const options = { encoding: "utf8" as const, env: { PATH: `/usr/bin:/bin:${path}` } };
  return execFileSync("/bin/sh", ["-c", `command -v ${tool}`], options).trim();
}
