import { describe, expect, it } from "vitest";
import {
  directory,
  FileTree,
  type Inode,
  normalize,
  regularFile,
} from "../../../src/runtime/images/file-tree.ts";

const link = (target: string): Inode => ({
  ...regularFile(target),
  mode: 0o120777,
});
const text = (tree: FileTree, path: string) => tree.get(path)?.read?.().toString();

describe("FileTree", () => {
  it("makes missing parents and lets later files win", () => {
    const tree = new FileTree();
    tree.put("/a//b/./c", regularFile("one"));
    tree.put("a/b/c", regularFile("two"));
    expect(tree.paths()).toEqual(["a", "a/b", "a/b/c"]);
    expect(text(tree, "a/b/c")).toBe("two");
  });

  it.each(["usr/bin", "/usr/bin", "./usr/../usr/bin"])(
    "follows a directory link to %s",
    (target) => {
      const tree = new FileTree();
      tree.put("usr/bin", directory());
      tree.put("bin", link(target));
      tree.put("bin/tool", regularFile("x"));
      tree.put("bin", directory());
      expect(tree.paths()).toEqual(["bin", "usr", "usr/bin", "usr/bin/tool"]);
      expect(tree.get("bin")!.mode & 0o170000).toBe(0o120000);
    },
  );

  it("never leaves the tree through a link", () => {
    const tree = new FileTree();
    tree.put("up", link("../../../../etc"));
    tree.put("up/passwd", regularFile("x"));
    expect(tree.paths()).toEqual(["up", "up/passwd"]);
    tree.put("etc", directory());
    tree.put("up2", link("../../../../etc"));
    tree.put("up2/shadow", regularFile("x"));
    expect(text(tree, "etc/shadow")).toBe("x");
  });

  it("ends on links that lead in circles or multiply", () => {
    const tree = new FileTree();
    tree.put("loop", link("loop"));
    tree.put("loop/file", regularFile("x"));
    expect(text(tree, "loop/file")).toBe("x");
    for (let depth = 0; depth < 60; depth++)
      tree.put(`l${depth}`, link(`l${depth + 1}/../l${depth + 1}`));
    tree.put("l60", directory());
    tree.put("l0/file", regularFile("x"));
    expect(text(tree, "l0/file")).toBe("x");
  });

  it("replaces a directory by a file and a file by a directory", () => {
    const tree = new FileTree();
    tree.put("a/b", regularFile("x"));
    tree.put("a", regularFile("file"));
    expect(tree.paths()).toEqual(["a"]);
    tree.put("a/c", regularFile("y"));
    expect(tree.paths()).toEqual(["a", "a/c"]);
  });

  it("refuses paths that leave it", () => {
    expect(() => normalize("a/../b")).toThrow(/leaves the tree/);
    expect(() => normalize("a\0b")).toThrow(/leaves the tree/);
  });
});
