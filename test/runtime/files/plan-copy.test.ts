import { expect, it } from "vitest";
import { splitMachinePath } from "../../../src/cli/commands/cp.ts";
import type { Kind } from "../../../src/runtime/files/guest-side.ts";
import { planCopy } from "../../../src/runtime/files/plan-copy.ts";

const end = (path: string, own: Kind, meant: Kind = own) => ({ path, own, meant });
const plan = (source: ReturnType<typeof end>, target: ReturnType<typeof end>, parent: Kind) => {
  try {
    const { directory, name } = planCopy(source, target, parent);
    return name === undefined ? directory : `${directory} as ${name}`;
  } catch (error) {
    return (error as Error).message;
  }
};

it("puts copies where docker cp does", () => {
  const file = end("/a/f", "file");
  const tree = end("/a/d", "directory");
  const contents = end("/a/d/.", "directory");
  const into = end("/x", "directory");
  const free = end("/x", "missing");
  expect(plan(file, into, "directory")).toBe("/x as f");
  expect(plan(file, free, "directory")).toBe("/ as x");
  expect(plan(file, end("/x/", "missing"), "directory")).toBe("/x/ does not exist");
  expect(plan(file, end("/p/x", "missing"), "missing")).toBe("/p does not exist");
  expect(plan(file, end("/p/x", "file"), "directory")).toBe("/p as x");
  expect(plan(file, end("/p/x/", "file"), "directory")).toBe("/p/x/ is not a directory");
  expect(plan(tree, into, "directory")).toBe("/x as d");
  expect(plan(tree, free, "directory")).toBe("/ as x");
  expect(plan(tree, end("/x", "file"), "directory")).toBe("/x is not a directory");
  expect(plan(contents, into, "directory")).toBe("/x");
  expect(plan(contents, free, "directory")).toBe("/x");
  expect(plan(end("/", "directory"), into, "directory")).toBe("/x");
  expect(plan(end("..", "directory"), into, "directory")).toBe("/x");
  expect(plan(end("/a/f/.", "file"), into, "directory")).toBe("/a/f/. is not a directory");
  // A link is a thing of its own, unless a slash says what it leads to.
  const link = end("/a/l", "link", "directory");
  expect(plan(link, into, "directory")).toBe("/x as l");
  expect(plan(link, end("/x", "file"), "directory")).toBe("/ as x");
  expect(plan({ ...link, path: "/a/l/" }, end("/x", "file"), "directory")).toMatch(
    /not a directory/,
  );
  expect(plan(file, end("/x", "link", "directory"), "directory")).toBe("/x as f");
  expect(plan(end("/n", "missing"), into, "directory")).toBe("/n does not exist");
});

it("tells a path on a machine from one with a colon", () => {
  expect(splitMachinePath("web:/etc")).toEqual({ machine: "web", path: "/etc" });
  expect(splitMachinePath("web:")).toEqual({ machine: "web", path: "." });
  expect(splitMachinePath("web:a:b")).toEqual({ machine: "web", path: "a:b" });
  expect(splitMachinePath("./web:/etc")).toEqual({ path: "./web:/etc" });
  expect(splitMachinePath("/a:b")).toEqual({ path: "/a:b" });
  expect(splitMachinePath("dir/a:b")).toEqual({ path: "dir/a:b" });
  expect(splitMachinePath("-")).toEqual({ path: "-" });
});
