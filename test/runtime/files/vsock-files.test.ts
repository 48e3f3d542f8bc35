import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyIn, copyOut, VsockFiles } from "../../../src/runtime/files/index.ts";
import { type Relay, startRelay, stopRelay, until } from "../../guest/relay.ts";
import { describeTree, makeTree, useScratchDirectory } from "./trees.ts";

/** The library against the guest's real agent, which runs here as an ordinary process: `guest` is its side. */
const scratch = useScratchDirectory();
let relay: Relay;
let socket = "";
const tree = scratch("tree");
const expected: string[] = [];

beforeAll(async () => {
  relay = await startRelay();
  socket = relay.socket(1976);
  makeTree(tree);
  expected.push(...describeTree(tree));
}, 600_000);

afterAll(() => stopRelay(relay));

describe("push and pull", () => {
  it("carry a tree there and back unchanged", async () => {
    await VsockFiles.push(socket, tree, scratch("there/deep"));
    expect(describeTree(scratch("there/deep"))).toEqual(expected);
    await VsockFiles.pull(socket, scratch("there/deep"), scratch("back/deep"));
    expect(describeTree(scratch("back/deep"))).toEqual(expected);
    // Again, over what is there.
    await VsockFiles.push(socket, tree, scratch("there/deep"));
    await VsockFiles.pull(socket, scratch("there/deep"), scratch("back/deep"));
    expect(describeTree(scratch("back/deep"))).toEqual(expected);
  });

  it("leave out what is excluded", async () => {
    const excludes = ["*.sh", "sub", "binary", "[sl]*", "d?ngling"];
    const left = readdirSync(tree).filter((name) => /^(no bytes|nnn|fifo)/.test(name));
    await VsockFiles.push(socket, tree, scratch("some"), { excludes });
    expect(readdirSync(scratch("some")).sort()).toEqual(left.sort());
    await VsockFiles.pull(socket, tree, scratch("some back"), { excludes });
    expect(readdirSync(scratch("some back")).sort()).toEqual(left.sort());
    const odd = ["new\nline*", "3 x", ""];
    await VsockFiles.pull(socket, tree, scratch("odd"), { excludes: odd });
    expect(readdirSync(scratch("odd/sub")).some((name) => name.startsWith("new"))).toBe(false);
  });

  it("carry a name's bytes, whatever is there already", async () => {
    mkdirSync(scratch("over/empty"), { recursive: true });
    mkdirSync(scratch("over/full/x"), { recursive: true });
    writeFileSync(scratch("over/link"), "file");
    mkdirSync(scratch("new"), { recursive: true });
    writeFileSync(scratch("new/empty"), "now a file");
    symlinkSync("empty", scratch("new/link"));
    await VsockFiles.push(socket, scratch("new"), scratch("over"));
    expect(readFileSync(scratch("over/link"), "utf8")).toBe("now a file");
    writeFileSync(scratch("new/full"), "x");
    // The full directory is not thrown away, and the rest is copied all the same.
    writeFileSync(scratch("new/zzz"), "z");
    await expect(VsockFiles.push(socket, scratch("new"), scratch("over"))).rejects.toMatchObject({
      code: "FILES_TRANSFER_FAILED",
      message: expect.stringMatching(/^not everything was copied:\n\.\/full: Directory not empty$/),
    });
    expect(existsSync(scratch("over/full/x"))).toBe(true);
    expect(existsSync(scratch("over/zzz"))).toBe(true);
  });

  it("go through a link to a directory inside the target on the way in, and not on the way out", async () => {
    for (const side of ["linked", "linked host"]) {
      mkdirSync(scratch(`${side}/usr/bin`), { recursive: true });
      symlinkSync("usr/bin", scratch(`${side}/bin`));
      symlinkSync("/usr", scratch(`${side}/abs`));
    }
    mkdirSync(scratch("with bin/bin"), { recursive: true });
    mkdirSync(scratch("with bin/abs"), { recursive: true });
    writeFileSync(scratch("with bin/bin/tool"), "tool");
    writeFileSync(scratch("with bin/abs/machinen-test"), "x");
    await VsockFiles.push(socket, scratch("with bin"), scratch("linked"));
    expect(readFileSync(scratch("linked/usr/bin/tool"), "utf8")).toBe("tool");
    expect(readdirSync(scratch("linked/abs"))).toEqual(["machinen-test"]);
    await VsockFiles.pull(socket, scratch("with bin"), scratch("linked host"));
    expect(readdirSync(scratch("linked host/usr/bin"))).toEqual([]);
    expect(readdirSync(scratch("linked host/bin"))).toEqual(["tool"]);
    expect(existsSync("/usr/machinen-test")).toBe(false);
  });

  it("say what is missing", async () => {
    await expect(VsockFiles.push(socket, scratch("nope"), "/x")).rejects.toMatchObject({
      code: "FILES_HOST_DIR_NOT_FOUND",
    });
    await expect(VsockFiles.push(socket, join(tree, "binary"), "/x")).rejects.toMatchObject({
      code: "FILES_HOST_DIR_NOT_FOUND",
    });
    await expect(
      VsockFiles.pull(socket, scratch("nope"), scratch("not made")),
    ).rejects.toMatchObject({
      code: "FILES_TRANSFER_FAILED",
      message: expect.stringContaining("nope: No such file or directory"),
    });
    expect(existsSync(scratch("not made"))).toBe(false);
    await expect(
      VsockFiles.pull(scratch("no socket"), "/", scratch("x"), { timeoutMs: 50, retryMs: 5 }),
    ).rejects.toMatchObject({ code: "FILES_AGENT_UNAVAILABLE", retryable: true });
    await expect(VsockFiles.push(socket, tree, "/dev/null/x")).rejects.toMatchObject({
      code: "FILES_TRANSFER_FAILED",
      message: expect.stringContaining("/dev/null/x: Not a directory"),
    });
    await expect(VsockFiles.push(socket, tree, "/\0")).rejects.toMatchObject({
      code: "FILES_TRANSFER_FAILED",
    });
  });

  it("leave no half file when they are aborted", async () => {
    mkdirSync(scratch("endless"));
    // Bigger than everything between the two ends can hold, and sent slowly by the guest's pipe alone.
    writeFileSync(scratch("endless/big"), Buffer.alloc(64 << 20, "x"));
    for (const direction of ["push", "pull"] as const) {
      const abort = new AbortController();
      const target = scratch(`aborted ${direction}`);
      const transfer =
        direction === "push"
          ? VsockFiles.push(socket, scratch("endless"), target, { signal: abort.signal })
          : VsockFiles.pull(socket, scratch("endless"), target, { signal: abort.signal });
      const failed = expect(transfer).rejects.toThrow("enough");
      await until(() => existsSync(target));
      abort.abort(new Error("enough"));
      await failed;
      expect(readdirSync(target)).toEqual([]);
    }
    await relay.exec("true");
  });
});

describe("copying like docker", () => {
  it("knows where things go", async () => {
    mkdirSync(scratch("dest"));
    await copyIn(socket, join(tree, "run.sh"), scratch("dest"));
    await copyIn(socket, join(tree, "run.sh"), scratch("dest/renamed"));
    await copyIn(socket, join(tree, "sub"), scratch("dest"));
    await copyIn(socket, join(tree, "sub"), scratch("dest/as"));
    await copyIn(socket, `${tree}/sub/.`, scratch("dest/contents"));
    await copyIn(socket, join(tree, "dangling"), scratch("dest/link"));
    const sub = describeTree(join(tree, "sub")).map((line) =>
      line.replace(/( 10 \S+ \S+) 2 /, "$1 1 "),
    );
    for (const name of ["sub", "as", "contents"])
      expect(describeTree(scratch(`dest/${name}`))).toEqual(sub);
    await copyOut(socket, scratch("dest"), scratch("out"));
    expect(describeTree(scratch("out"))).toEqual(describeTree(scratch("dest")));
    await copyOut(socket, scratch("dest/renamed"), scratch("out/sub"));
    expect(readFileSync(scratch("out/sub/renamed"), "utf8")).toBe("#!/bin/sh\n");
    for (const [from, to, why] of [
      ["dest/sub", "out/renamed", "is not a directory"],
      ["dest/renamed", "out/none/", "does not exist"],
      ["dest/renamed", "out/none/x", "does not exist"],
      ["dest/none", "out", "does not exist"],
    ] as const) {
      const copying = copyOut(socket, scratch(from), scratch(to));
      await expect(copying).rejects.toThrow(why);
    }
  });

  it("holds little of an archive whose reader is slow", async () => {
    mkdirSync(scratch("slow"));
    writeFileSync(scratch("slow/big"), Buffer.alloc(64 << 20, "x"));
    let taken = 0;
    let goOn: (() => void) | undefined;
    let stalls = true;
    const slow = new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length;
        if (stalls && taken > 1 << 20) goOn = done;
        else done();
      },
    });
    const copied = copyOut(socket, scratch("slow"), slow);
    await until(() => goOn !== undefined);
    // All that goes over the same link meanwhile comes behind what would have been sent.
    for (let i = 0; i < 30; i++) await relay.exec("true");
    expect(taken + slow.writableLength).toBeLessThan(4 << 20);
    stalls = false;
    goOn!();
    await copied;
    expect(taken + slow.writableLength).toBeGreaterThan(64 << 20);
  });

  it("streams archives", async () => {
    const pipe = new PassThrough();
    mkdirSync(scratch("piped"));
    const written = copyOut(socket, tree, pipe).then(() => pipe.end());
    await copyIn(socket, pipe, scratch("piped"));
    await written;
    expect(describeTree(scratch("piped/tree"))).toEqual(expected);
  });
});
