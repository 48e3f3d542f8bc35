import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTar } from "../../../src/runtime/images/tar-reader.ts";
import { temporaryDirectory } from "./temporary.ts";

const long = "d".repeat(90);

function sampleTree(): string {
  const root = temporaryDirectory();
  mkdirSync(join(root, long, long), { recursive: true });
  writeFileSync(join(root, long, long, "deep"), "deep content");
  writeFileSync(join(root, "plain"), Buffer.from([0, 1, 2, 255]), { mode: 0o4751 });
  linkSync(join(root, "plain"), join(root, "second"));
  symlinkSync(`/${"t".repeat(150)}`, join(root, "far"));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/odd \n`), Buffer.from([0xff])]), "odd");
  return root;
}

function pack(root: string, ...options: string[]): Buffer {
  return execFileSync("tar", [...options, "--sort=name", "-C", root, "-cf", "-", "."], {
    maxBuffer: 1 << 28,
  });
}

describe("readTar", () => {
  it.each(["gnu", "pax", "oldgnu"])("reads what tar writes as %s", (format) => {
    const owner = ["--owner=5000000:5000000", "--group=7:7", "--mtime=@1700000000"];
    const members = [...readTar(pack(sampleTree(), `--format=${format}`, ...owner))];
    const find = (path: string) => members.find((member) => member.path === path)!;
    expect(find(`./${long}/${long}/deep`).data.toString()).toBe("deep content");
    expect(find("./far")).toMatchObject({ type: "symlink", target: `/${"t".repeat(150)}` });
    expect(find("./odd \n\xff").data.toString()).toBe("odd");
    const plain = find("./plain");
    expect([...plain.data]).toEqual([0, 1, 2, 255]);
    expect(plain).toMatchObject({ type: "file", mode: 0o4751, uid: 5000000, gid: 7 });
    expect(plain.mtime).toBe(1700000000);
    expect(find("./second")).toMatchObject({ type: "hardlink", target: "./plain" });
  });

  it("fills the holes of sparse files, and refuses formats it cannot read", () => {
    const root = temporaryDirectory();
    const content = Buffer.alloc(3_000_000);
    content.write("start", 0);
    content.write("middle", 1_500_000);
    writeFileSync(join(root, "hole"), content);
    execFileSync("fallocate", ["--dig-holes", join(root, "hole")]);
    const packed = pack(root, "--sparse", "--format=pax", "--sparse-version=1.0");
    expect(packed.length).toBeLessThan(100_000);
    const hole = [...readTar(packed)].find(({ path }) => path.endsWith("hole"));
    expect(hole).toMatchObject({ path: "./hole", type: "file" });
    expect(hole!.data.equals(content)).toBe(true);
    for (const format of [["--format=gnu"], ["--format=pax", "--sparse-version=0.1"]])
      expect(() => [...readTar(pack(root, "--sparse", ...format))]).toThrow(/sparse/);
  });

  it.each(["9999\n", "x\n", "2\n0\n512\n", "1\n0\n9999999\n", "1\n99999999\n1\n"])(
    "refuses a sparse file whose map is %j",
    (map) => {
      const root = temporaryDirectory();
      writeFileSync(join(root, "hole"), "x");
      truncateSync(join(root, "hole"), 1_000_000);
      const packed = pack(root, "--sparse", "--format=pax", "--sparse-version=1.0");
      packed.write(map.padEnd(16, "\n"), packed.indexOf("2\n0\n"), "latin1");
      expect(() => [...readTar(packed)]).toThrow(/tar/);
    },
  );

  it("refuses what is no archive, or a cut or damaged one", () => {
    expect(() => [...readTar(Buffer.from("x".repeat(2000)))]).toThrow(/no tar header/);
    expect(() => [...readTar(Buffer.from("short"))]).toThrow(/ends inside/);
    const archive = pack(sampleTree());
    const cut = archive.indexOf("deep content") + 3;
    expect(() => [...readTar(archive.subarray(0, cut))]).toThrow(/past the end/);
    const damaged = Buffer.from(archive);
    damaged[3]! ^= 1;
    expect(() => [...readTar(damaged)]).toThrow(/no tar header/);
  });

  it("ends with members or an error however bytes are changed", () => {
    const archive = pack(sampleTree(), "--format=pax");
    let seed = 7;
    for (let round = 0; round < 300; round++) {
      const changed = Buffer.from(archive);
      for (let change = 0; change < 4; change++) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        changed[seed % changed.length] = seed >> 16;
      }
      try {
        for (const member of readTar(changed)) expect(member.data.length).toBeLessThan(1 << 20);
      } catch (error) {
        expect((error as Error).message).toMatch(/tar|pax|assert/);
      }
    }
  });
});
