import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { op, type Reply, words } from "./live-mount-server.ts";
import { contentOf, openRead, pauseFor, readBody, useShare } from "./use-share.ts";

const { EINVAL, EIO, ENOENT, EPROTO, ENOSYS, ESTALE, EBADF } = constants.errno;
const { share, scratch, start, serve } = useShare();

describe("hostile messages", () => {
  it.each([
    ["shorter than its header", words([4, 39], [4, 1], [8, 1], [8, 1], [8, 0], [8, 0])],
    ["longer than any request", words([4, 0x7fffffff], [4, 1], [8, 1], [8, 1], [8, 0], [8, 0])],
    ["an account nobody asked for", words([4, 40], [4, op.stored], [8, 0], [8, 0], [8, 0], [8, 0])],
  ])("%s ends the mount", async (_what, bytes) => {
    const server = serve();
    server.raw(bytes);
    expect(await server.ended()).toBe(1);
    expect(server.stderr).toMatch(/^LIVE_MOUNT_ENDED: /m);
  });

  it("a request before the hello ends the mount", async () => {
    const server = start();
    server.send(op.getattr, 1, Buffer.alloc(16), 1n);
    expect(await server.ended()).toBe(1);
  });

  it("unknown requests, nodes and handles are errors", async () => {
    const server = serve();
    expect((await server.ask(4711, 1)).error).toBe(ENOSYS);
    expect((await server.ask(op.lookup, 99n, "a")).error).toBe(ENOENT);
    expect((await server.ask(op.getattr, 2n ** 64n - 1n, Buffer.alloc(16))).error).toBe(ENOENT);
    for (const handle of [0n, 1n, 2n ** 32n, 2n ** 64n - 1n]) {
      expect((await server.ask(op.read, 1, readBody(handle))).error).toBe(EBADF);
      expect((await server.ask(op.readdir, 1, readBody(handle))).error).toBe(EBADF);
    }
    expect((await server.ask(op.lookup, 1, Buffer.from("no end"))).error).toBe(EINVAL);
    expect((await server.ask(op.getattr, 1, Buffer.alloc(3))).error).toBe(EINVAL);
    expect((await server.ask(op.write, 1, words([8, 1], [8, 0], [4, 9e8]))).error).toBe(EINVAL);
  });

  it("forgetting more than it was told is no harm", async () => {
    writeFileSync(join(share, "f"), "still here");
    const server = serve();
    const file = await server.lookup(1, "f");
    for (const id of [file, 1n, 77n]) server.send(op.forget, id, words([8, 2n ** 64n - 1n]));
    server.send(op.batchForget, 0, words([4, 0xffffffff], [4, 0], [8, file], [8, 5]));
    expect((await server.ask(op.getattr, file, Buffer.alloc(16))).error).toBe(ENOENT);
    expect(await contentOf(server, await server.lookup(1, "f"))).toBe("still here");
  });

  it("the longest request an agent passes on is taken, a longer one ends the mount", async () => {
    const server = serve();
    expect((await server.ask(op.getattr, 1, Buffer.alloc(16))).error).toBe(0);
    const forgets = 16_636;
    const batch = Buffer.concat([words([4, forgets], [4, 0]), Buffer.alloc(forgets * 16)]);
    server.send(op.batchForget, 0, batch);
    expect((await server.ask(op.getattr, 1, Buffer.alloc(16))).error).toBe(0);
    server.raw(words([4, 266_241], [4, op.batchForget], [8, 0], [8, 0], [8, 0], [8, 0]));
    expect(await server.ended()).toBe(1);
  });

  it("a second handshake is refused, also one that comes after something else", async () => {
    const init = words([4, 7], [4, 38], [4, 0], [4, 0]);
    const server = serve();
    const answer = await server.ask(op.init, 0, init);
    expect([answer.error, answer.body.readUInt32LE(0)]).toEqual([0, 7]);
    expect((await server.ask(op.init, 0, init)).error).toBe(EIO);
    const other = serve();
    expect((await other.ask(op.getattr, 1, Buffer.alloc(16))).error).toBe(0);
    expect((await other.ask(op.init, 0, init)).error).toBe(EIO);
    expect((await other.ask(op.init, 0, words([4, 6], [4, 38], [8, 0]))).error).toBe(EPROTO);
    expect((await other.ask(op.getattr, 1, Buffer.alloc(16))).error).toBe(0);
  });

  it("survives a storm of random messages, and nothing outside is touched", async () => {
    writeFileSync(join(share, "f"), "x".repeat(5000));
    mkdirSync(join(share, "d"));
    mkdirSync(join(scratch.path, "untouched"), { recursive: true });
    let seed = 12345;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const names = ["f", "d", "g", "..", "a/b", "", "x".repeat(260), "user.a"];
    const server = serve();
    const replies: Array<Promise<Reply>> = [];
    for (let round = 0; round < 6000; round++) {
      const parts: Array<Buffer | string> = [];
      const fixed = [0, 4, 8, 16, 24, 40, 56, 88][random(8)]!;
      const body = Buffer.alloc(fixed);
      for (let i = 0; i < fixed; i += 4) {
        const small = random(3) > 0;
        body.writeUInt32LE(small ? random(6) : (random(65536) * 65536 + random(65536)) >>> 0, i);
      }
      parts.push(body);
      for (let i = random(3); i > 0; i--) parts.push(names[random(names.length)]!);
      if (random(4) === 0) parts.push(Buffer.alloc(random(3000), random(256)));
      const opcode = 1 + random(55);
      // These two are never answered, and a kernel sends the first once.
      if ([op.forget, op.batchForget].includes(opcode as never)) continue;
      replies.push(server.ask(opcode, random(8), ...parts));
      if (replies.length % 64 === 0) await Promise.all(replies);
    }
    for (const { error } of await Promise.all(replies)) expect(error).toBeGreaterThanOrEqual(0);
    expect((await server.ask(op.getattr, 1, Buffer.alloc(16))).error).toBe(0);
    expect(server.child.exitCode).toBe(null);
    expect(readdirSync(join(scratch.path, "untouched"))).toEqual([]);
    expect(existsSync(join(scratch.path, "g"))).toBe(false);
  }, 120_000);
});

describe("a state that comes back", () => {
  it("lets another server go on where the first was", async () => {
    mkdirSync(join(share, "d"));
    writeFileSync(join(share, "d", "file"), "content");
    const first = serve();
    const file = await first.lookup(await first.lookup(1, "d"), "file");
    const handle = (await first.ask(op.open, file, openRead)).body.readBigUInt64LE(0);
    const state = await pauseFor(first);
    renameSync(join(share, "d", "file"), join(share, "d", "other"));
    writeFileSync(join(share, "d", "file"), "not the same file");
    const other = serve("rw", state);
    expect((await other.ask(op.read, file, readBody(handle))).error).toBe(ESTALE);
    renameSync(join(share, "d", "other"), join(share, "d", "file"));
    const second = serve("rw", state);
    const { body } = await second.ask(op.read, file, readBody(handle));
    expect(body.toString()).toBe("content");
  });

  it("makes no sense when it was tampered with, or names only what could be looked up", async () => {
    mkdirSync(join(share, "d"));
    writeFileSync(join(share, "d", "file"), "content");
    const first = serve();
    const file = await first.lookup(await first.lookup(1, "d"), "file");
    await first.ask(op.open, file, openRead);
    const state = await pauseFor(first);
    let seed = 99;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 40; round++) {
      const bad = Buffer.from(round % 4 === 0 ? state.subarray(0, random(state.length)) : state);
      for (let i = 0; bad.length > 0 && i < 1 + random(6); i++) {
        bad[random(bad.length)] = random(256);
      }
      const server = serve("rw", bad);
      const reply = await server.ask(op.getattr, file, Buffer.alloc(16));
      if (reply.error === -1) expect(await server.ended()).toBe(1);
      else expect(server.child.exitCode).toBe(null);
    }
    const climbing = Buffer.from(state);
    climbing.write("/../", climbing.indexOf("file"), "latin1");
    const server = serve("rw", climbing);
    expect(await server.ended()).toBe(1);
  }, 120_000);
});
