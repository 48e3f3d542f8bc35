import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bases, slim } from "../runtime/machine/bases.ts";
import { eventually, World } from "./support/world.ts";

/** Builds are slow where much else is going on. */
const PATIENCE_MS = 120_000;

describe.each(bases)("images on the $name base", (base) => {
  let world: World;
  let image: string;
  const memory = String(base.options.memory);
  const here = (...parts: string[]): string => join(world.directory, "work", ...parts);

  beforeAll(() => {
    world = new World(base);
    // Every image here is booted once: a template of it would be of no use.
    world.env.MACHINEN_TEMPLATES = "0";
    image = here("made.tar.gz");
    mkdirSync(here("site", "deep"), { recursive: true });
    writeFileSync(here("site", "index"), "a page\n");
    writeFileSync(here("site", "deep", "run"), "#!/bin/sh\necho running\n", { mode: 0o755 });
    writeFileSync(here("setup.sh"), "#!/bin/sh\nset -e\ncat /srv/www/index > /etc/from-script\n");
  });
  afterAll(() => world.dispose());

  const build = (...more: string[]) =>
    world.run([
      "provision",
      image,
      "--base",
      base.name,
      "--memory",
      memory,
      "--size",
      "512",
      ...more,
    ]);

  /** No process, no part of an image; the log of a failed build stays. */
  async function expectNothingLeft(): Promise<void> {
    await eventually("no process is left", () => world.processes().length === 0, PATIENCE_MS);
    expect(readdirSync(here()).filter((name) => name.startsWith("."))).toEqual([]);
    expect(await world.machines()).toEqual([]);
  }

  test("an image is built by the program, with files of the host, and boots", async () => {
    const { code, stdout, stderr } = await build(
      ...["--copy", `${here("site")}:/srv/www`, "--copy", `${here("site", "index")}:/opt/a b/page`],
      ...["--script", here("setup.sh"), "--env", "MODE=built", "--cwd", "/srv/www"],
      ...["--cmd", '["/bin/sh","-c","echo $MODE $PWD > /tmp/said; exec sleep 1000000"]'],
      ...["--json", "--", `${slim(base)}; echo building; cat /etc/from-script > /etc/made`],
    );
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("building\n");
    expect(JSON.parse(stdout)).toMatchObject({ imagePath: image, sizeBytes: statSync(image).size });
    const names = execFileSync("tar", ["-tzf", image], { encoding: "utf8" }).split("\n");
    expect(names).toEqual(expect.arrayContaining(["./srv/www/deep/run", "./opt/a b/page"]));
    await expectNothingLeft();

    await world.ok(["boot", "made", "--image", image, "--memory", memory]);
    const look = "cat /etc/made '/opt/a b/page'; stat -c '%U %a' /srv/www/deep/run";
    expect(await world.ok(["exec", "made", "--", look])).toBe("a page\na page\nroot 755\n");
    const said = () => world.run(["exec", "made", "--", "cat", "/tmp/said"]);
    await eventually(
      "its command runs in its place",
      async () => (await said()).stdout === "built /srv/www\n",
      PATIENCE_MS,
    );
    await world.ok(["stop", "made"]);
  }, 400_000);

  test("a build that fails says why, where its log is, and leaves the image as it was", async () => {
    writeFileSync(image, "an older image");
    const { code, stdout, stderr } = await build("--", "echo working; echo broken >&2; exit 3");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^PROVISION_INSTALL_HOOK_FAILED: /m);
    const log = /The build's log is (.+)$/m.exec(stderr)?.[1];
    expect(readFileSync(log!, "utf8")).toMatch(/working\n(.|\n)*broken/);
    expect(readFileSync(image, "utf8")).toBe("an older image");
    await expectNothingLeft();
  }, 400_000);

  test("a file that is not there is known before anything is booted", async () => {
    const { code, stderr } = await build("--copy", `${here("none")}:/srv/www`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^FILES_HOST_DIR_NOT_FOUND: .*work\/none/);
    await expectNothingLeft();
  });
});
