import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";

const directory = mkdtempSync(join(tmpdir(), "machinen-stream-"));
const program = join(directory, "stream-test");

beforeAll(() => {
  const root = packageRoot();
  const sourcesIn = (path: string, name: RegExp) =>
    readdirSync(join(root, path))
      .filter((file) => name.test(file))
      .map((file) => join(root, path, file));
  const sources = [
    ...sourcesIn("vmm", /^stream.*\.c$/),
    ...sourcesIn("test/vmm/stream-test", /\.c$/),
  ];
  const flags =
    "-std=c17 -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all";
  execFileSync("cc", [
    ...flags.split(" "),
    "-Wall",
    "-Wextra",
    "-Werror",
    ...sources,
    "-o",
    program,
  ]);
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const cases = {
  transfer: "20 streams both ways arrive intact, whatever the pieces",
  polite: "who asks for room first is told when there is some again",
  "guest-opens": "the guest opens a stream too",
  "flow-control": "a receiver that does not consume stops its own stream only",
  "half-close": "each direction closes on its own",
  reset: "a reset ends the peer's side; an unserved port is refused",
  many: "256 streams live at once, and no more",
  fair: "floods share the link and leave room for a keystroke",
  restart: "a new handshake in the middle of frames starts clean",
  broken: "malformed frames end the link, a handshake mends it",
  deaf: "a peer that asks and never reads is cut off",
  fuzz: "random frames and resets inside callbacks",
  flood: "100 MiB through one stream",
};

describe.each(Object.entries(cases))("stream: %s", (name, meaning) => {
  it.each([1, 2, 3])(`${meaning} (seed %i)`, (seed) => {
    const out = execFileSync(program, [name, String(seed)], { encoding: "utf8", timeout: 60_000 });
    expect(out).toBe("ok\n");
  });
});
