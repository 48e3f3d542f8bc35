import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A directory for the tests of one file, removed after them. */
export function useScratchDirectory(): (name: string) => string {
  const root = mkdtempSync(join(tmpdir(), "machinen-files-"));
  afterAll(() => {
    // What a test took away from itself is given back, so that it can be removed.
    execFileSync("chmod", ["-R", "u+rwX", root]);
    rmSync(root, { recursive: true, force: true });
  });
  return (name) => join(root, name);
}

/** A tree with everything a tree can have, but devices and setuid bits. */
export function makeTree(root: string): void {
  mkdirSync(join(root, "sub/empty"), { recursive: true });
  writeFileSync(join(root, "run.sh"), "#!/bin/sh\n", { mode: 0o750 });
  writeFileSync(join(root, "secret"), "s", { mode: 0o600 });
  writeFileSync(join(root, "no bytes"), "");
  writeFileSync(join(root, "sub/new\nline \u{1f600} é"), "text");
  // A name that is not UTF-8.
  writeFileSync(Buffer.concat([Buffer.from(join(root, "sub/")), Buffer.from([0xff, 0xfe])]), "b");
  const all = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
  writeFileSync(join(root, "binary"), all);
  const long = "n".repeat(180);
  mkdirSync(join(root, long, long, long), { recursive: true });
  writeFileSync(join(root, long, long, long, "deep"), "deep");
  symlinkSync("../run.sh", join(root, "sub/link"));
  symlinkSync("/nowhere/at/all", join(root, "dangling"));
  symlinkSync(`sub/${"t".repeat(150)}`, join(root, "long target"));
  linkSync(join(root, "binary"), join(root, "sub/hard"));
  writeFileSync(join(root, "sparse"), "");
  truncateSync(join(root, "sparse"), 8 << 20);
  const fd = openSync(join(root, "sparse"), "r+");
  writeSync(fd, "in the middle", 3 << 20);
  closeSync(fd);
  execFileSync("mkfifo", ["-m", "640", join(root, "fifo")]);
  lutimesSync(join(root, "run.sh"), 1_000_000_000.25, 1_000_000_000.25);
  lutimesSync(join(root, "secret"), -1000.5, -1000.5);
  lutimesSync(join(root, "dangling"), 1_100_000_000.5, 1_100_000_000.5);
  chmodSync(join(root, "sub/empty"), 0o711);
  lutimesSync(join(root, "sub/empty"), 1_200_000_000, 1_200_000_000);
  lutimesSync(join(root, "sub"), 1_300_000_000.125, 1_300_000_000.125);
}

/** A line for each member of a tree, with all that is to be the same in a copy. */
export function describeTree(root: string | Buffer, at: Buffer = Buffer.alloc(0)): string[] {
  const directory = Buffer.concat([Buffer.from(root), Buffer.from("/"), at]);
  return readdirSync(directory, { encoding: "buffer" })
    .sort(Buffer.compare)
    .flatMap((name) => {
      const path = at.length === 0 ? name : Buffer.concat([at, Buffer.from("/"), name]);
      const full = Buffer.concat([Buffer.from(root), Buffer.from("/"), path]);
      const stat = lstatSync(full, { bigint: true });
      const what = stat.isSymbolicLink()
        ? readlinkSync(full, { encoding: "buffer" }).toString("latin1")
        : stat.isFile()
          ? // Sparse files stay sparse: within a few blocks, as file systems round differently.
            `${readFileSync(full).toString("base64")} ${stat.blocks * 512n < stat.size}`
          : "";
      const type = Number(stat.mode >> 12n).toString(8);
      const mode = stat.isSymbolicLink() ? "" : Number(stat.mode & 0o7777n).toString(8);
      const links = stat.isFile() ? stat.nlink : "";
      const line = `${path.toString("latin1")} ${type} ${mode} ${stat.mtimeNs} ${links} ${what}`;
      return stat.isDirectory() ? [line, ...describeTree(root, path)] : [line];
    });
}
