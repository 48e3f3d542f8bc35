import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defaultInitPath } from "../../src/runtime/images/guest-init.ts";
import { readTar } from "../../src/runtime/images/tar-reader.ts";

const isRoot = process.getuid?.() === 0;
const tooLarge = 9 * 1024 ** 3;
let scratch: string;
let tree: string;
let archive: string;
let unpacked: string;

/** Every file's name, type, mode, owner, size, link count, target and time. */
function listing(directory: string): string[] {
  const format = "%p\\0%y %m %U %G %s %n %l %T@\\n";
  return execFileSync("find", [".", "-printf", format], { cwd: directory, encoding: "latin1" })
    .replace(/ d (\d+ \d+ \d+) \d+ /g, " d $1 - ")
    .split("\n")
    .sort();
}

function archiveRoot(directory: string, out: string) {
  const fd = openSync(out, "w");
  const { status, stderr } = spawnSync(defaultInitPath(), ["archive-root", directory], {
    stdio: ["ignore", fd, "pipe"],
    encoding: "utf8",
  });
  closeSync(fd);
  return { status, stderr };
}

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "machinen-test-"));
  [tree, archive, unpacked] = ["tree", "root.tar", "unpacked"].map((name) =>
    join(scratch, name),
  ) as [string, string, string];
  const deep = join(tree, "d".repeat(90), "e".repeat(90));
  mkdirSync(deep, { recursive: true });
  mkdirSync(join(tree, "dir"), { mode: 0o750 });
  mkdirSync(join(tree, "lost+found"));
  mkdirSync(unpacked);
  writeFileSync(join(deep, "f".repeat(200)), "deep");
  writeFileSync(join(tree, "dir/file"), "content", { mode: 0o600 });
  utimesSync(join(tree, "dir/file"), 1_700_000_000, 1_700_000_000.25);
  linkSync(join(tree, "dir/file"), join(tree, "another name"));
  writeFileSync(join(tree, "empty"), "");
  writeFileSync(join(tree, "new\nline \u00fc"), "x".repeat(513), { mode: 0o4755 });
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/bytes`), Buffer.from([0xff, 0xfe])]), "b");
  writeFileSync(join(tree, "machinen-config.json"), "{}");
  symlinkSync("../nowhere", join(tree, "dir/link"));
  symlinkSync("t".repeat(300), join(tree, "long link"));
  execFileSync("mkfifo", [join(tree, "pipe")]);
  // Larger than the eleven octal digits of a header can say, and almost all hole.
  const huge = openSync(join(tree, "dir/huge"), "w");
  writeSync(huge, "middle", 5 * 1024 ** 3);
  closeSync(huge);
  truncateSync(join(tree, "dir/huge"), tooLarge);
  if (isRoot) {
    execFileSync("mknod", [join(tree, "device"), "c", "5", "300"]);
    execFileSync("chown", ["1000:3000000", join(tree, "dir")]);
  }
  const server = createServer().listen(join(tree, "socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  expect(archiveRoot(tree, archive)).toEqual({ status: 0, stderr: "" });
  server.close();
  execFileSync("tar", ["-xpf", archive, "-C", unpacked, "--numeric-owner"]);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("GNU tar finds the same files in it; sockets and what belongs to the file system are left out", () => {
  const missing = /^\.\/(socket|lost\+found|machinen-config\.json)\0/;
  const isKept = (line: string) => !missing.test(line);
  // Leaving a directory out changes the link count of its parent.
  const plain = (line: string) => line.replace(/^\.\0d .*/, ".");
  expect(listing(unpacked).map(plain)).toEqual(listing(tree).filter(isKept).map(plain));
});

test("hard links stay links, and holes stay holes", () => {
  expect(statSync(join(unpacked, "another name")).ino).toBe(
    statSync(join(unpacked, "dir/file")).ino,
  );
  expect(statSync(join(unpacked, "dir/huge")).blocks * 512).toBeLessThan(1024 * 1024);
  expect(statSync(archive).size).toBeLessThan(200 * 1024);
  const at = (root: string) => {
    const bytes = Buffer.alloc(6);
    const fd = openSync(join(root, "dir/huge"), "r");
    readSync(fd, bytes, 0, 6, 5 * 1024 ** 3);
    closeSync(fd);
    return bytes.toString();
  };
  expect(at(unpacked)).toBe("middle");
});

test("is the same for the same tree", () => {
  const again = join(scratch, "again.tar");
  archiveRoot(tree, again);
  const names = (path: string) =>
    execFileSync("tar", ["-tf", path, "--quoting-style=escape"], { encoding: "utf8" });
  expect(names(again)).toBe(names(archive));
});

test("our own reader takes it, sparse files too", () => {
  rmSync(join(tree, "dir/huge"));
  const small = openSync(join(tree, "dir/sparse"), "w");
  writeSync(small, "start", 0);
  writeSync(small, "end", 1_000_000);
  closeSync(small);
  truncateSync(join(tree, "dir/sparse"), 3_000_000);
  const out = join(scratch, "small.tar");
  expect(archiveRoot(tree, out).status).toBe(0);
  const members = new Map([...readTar(readFileSync(out))].map((member) => [member.path, member]));
  expect(members.get("./dir/sparse")!.data.equals(readFileSync(join(tree, "dir/sparse")))).toBe(
    true,
  );
  expect(members.get("./dir/file")).toMatchObject({ type: "hardlink", target: "./another name" });
  expect(members.get("./long link")!.target).toBe("t".repeat(300));
});

test("a reader that goes away ends it with an error", () => {
  const broken = spawnSync("bash", [
    "-c",
    `set -o pipefail; ${defaultInitPath()} archive-root / 2>/dev/null | head -c 10 >/dev/null`,
  ]);
  expect(broken.status).not.toBe(0);
});

test("a directory that is not there is an error", () => {
  const { status, stderr } = archiveRoot(join(scratch, "none"), join(scratch, "none.tar"));
  expect(status).toBe(1);
  expect(stderr).toContain("No such file");
});
