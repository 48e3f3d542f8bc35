import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildServer, LiveMountServer, op, type Reply, say, words } from "./live-mount-server.ts";
import { scratchDirectory, until } from "./machine.ts";

const { EINVAL, ENOENT, ENOSYS, ENOTDIR, EPERM, EROFS, ESTALE, EBADF, EOPNOTSUPP, ENAMETOOLONG } =
  constants.errno;
const scratch = scratchDirectory();
const share = join(scratch.path, "share");
const running: LiveMountServer[] = [];

beforeAll(() => {
  buildServer();
  mkdirSync(share);
  chmodSync(share, 0o777);
  chmodSync(scratch.path, 0o755);
}, 180_000);
afterEach(async () => {
  for (const server of running.splice(0)) {
    await server.stop();
    expect(server.stderr).not.toContain("Sanitizer");
    expect(server.stderr).not.toContain("runtime error");
  }
  rmSync(share, { recursive: true });
  mkdirSync(share);
  chmodSync(share, 0o777);
});
afterAll(() => scratch.remove());

/** The guest's kernel has nothing to do with it: whatever it would never send is sent. */
function serve(mode: "ro" | "rw" = "rw", state?: Buffer, user?: number): LiveMountServer {
  const server = new LiveMountServer(share, mode, user);
  running.push(server);
  server.hello(state);
  return server;
}

const openRead = words([4, 0], [4, 0]);
const openWrite = words([4, 1], [4, 0]);
const mkdirBody = words([4, 0o755], [4, 0]);
const none = Buffer.alloc(0);

function readBody(handle: bigint, size = 4096): Buffer {
  return words([8, handle], [8, 0], [4, size], [4, 0], [8, 0], [4, 0], [4, 0]);
}

async function contentOf(server: LiveMountServer, node: bigint): Promise<string> {
  const opened = await server.ask(op.open, node, openRead);
  if (opened.error !== 0) return `errno ${opened.error}`;
  const { body } = await server.ask(op.read, node, readBody(opened.body.readBigUInt64LE(0)));
  return body.toString();
}

/** What the guest's agent would keep while its machine is stopped. */
async function pauseFor(server: LiveMountServer): Promise<Buffer> {
  server.control.write("p");
  await until("the server to pause", () => server.own.some(({ what }) => what === say.pause));
  server.send(op.paused, 0, none);
  await until("the state", () => server.own.some(({ what }) => what === say.state));
  server.send(op.stored, 0, none);
  await until("the pause", () => server.controlBytes.join("").includes("P"));
  return server.own.find(({ what }) => what === say.state)!.body;
}

describe("containment", () => {
  it("no name leads out of the directory", async () => {
    writeFileSync(join(scratch.path, "secret"), "secret");
    const server = serve();
    for (const name of ["..", ".", "", "../secret", "/etc/passwd", "a/../../secret", "./x"]) {
      expect((await server.ask(op.lookup, 1, name)).error, name).toBe(EINVAL);
      expect((await server.ask(op.mkdir, 1, mkdirBody, name)).error, name).toBe(EINVAL);
      expect((await server.ask(op.unlink, 1, name)).error, name).toBe(EINVAL);
      expect((await server.ask(op.symlink, 1, name, "x")).error, name).toBe(EINVAL);
      expect((await server.ask(op.rename, 1, words([8, 1]), "a", name)).error, name).toBe(EINVAL);
    }
    expect((await server.ask(op.lookup, 1, "n".repeat(300))).error).toBe(ENAMETOOLONG);
    expect(readFileSync(join(scratch.path, "secret"), "utf8")).toBe("secret");
  });

  it("a symbolic link is data: it can be read, and nothing is done through it", async () => {
    mkdirSync(join(scratch.path, "outside"), { recursive: true });
    writeFileSync(join(scratch.path, "outside", "file"), "outside");
    const server = serve();
    const link = (await server.ask(op.symlink, 1, "l", join(scratch.path, "outside"))).body;
    const node = link.readBigUInt64LE(0);
    expect((await server.ask(op.readlink, node)).body.toString()).toBe(
      join(scratch.path, "outside"),
    );
    expect((await server.ask(op.lookup, node, "file")).error).toBe(ENOTDIR);
    expect((await server.ask(op.opendir, node, openRead)).error).toBe(ENOTDIR);
    expect((await server.ask(op.open, node, openRead)).error).toBe(EPERM);
    expect((await server.ask(op.mkdir, node, mkdirBody, "x")).error).toBe(ENOTDIR);
    const create = words([4, 1 | 0o100], [4, 0o644], [4, 0], [4, 0]);
    expect((await server.ask(op.create, 1, create, "l")).error).not.toBe(0);
    expect(readdirSync(join(scratch.path, "outside"))).toEqual(["file"]);
  });

  it("a directory swapped for a link while it is used stays the directory it was", async () => {
    mkdirSync(join(share, "d"));
    writeFileSync(join(share, "d", "file"), "inside");
    mkdirSync(join(scratch.path, "swapped"), { recursive: true });
    writeFileSync(join(scratch.path, "swapped", "file"), "outside");
    const server = serve();
    const directory = await server.lookup(1, "d");
    const file = await server.lookup(directory, "file");
    const handle = (await server.ask(op.open, file, openRead)).body.readBigUInt64LE(0);
    const state = await pauseFor(server);
    renameSync(join(share, "d"), join(share, "moved"));
    symlinkSync(join(scratch.path, "swapped"), join(share, "d"));
    server.control.write("g");
    await until("the server to go on", () => server.own.some(({ what }) => what === say.go));
    expect((await server.ask(op.read, file, readBody(handle))).body.toString()).toBe("inside");
    expect(await contentOf(server, file)).toBe("inside");
    // Who has to find it again by its name finds a link, which is not followed.
    const next = serve("rw", state);
    expect((await next.ask(op.lookup, directory, "file")).error).toBe(ESTALE);
    expect(await contentOf(next, file)).toBe(`errno ${ESTALE}`);
  });

  it("makes no devices and no programs with somebody's rights", async () => {
    const server = serve();
    const device = (type: number) => words([4, type | 0o666], [4, 0x103], [4, 0], [4, 0]);
    expect((await server.ask(op.mknod, 1, device(0o020000), "null")).error).toBe(EPERM);
    expect((await server.ask(op.mknod, 1, device(0o060000), "disk")).error).toBe(EPERM);
    const made = await server.ask(op.mknod, 1, words([4, 0o104755], [4, 0], [4, 0], [4, 0]), "f");
    expect(made.error).toBe(0);
    const setattr = Buffer.alloc(88);
    setattr.writeUInt32LE(1, 0);
    setattr.writeUInt32LE(0o106755, 68);
    expect((await server.ask(op.setattr, made.body.readBigUInt64LE(0), setattr)).error).toBe(0);
    expect(statSync(join(share, "f")).mode & 0o7777).toBe(0o755);
    for (const name of ["security.capability", "trusted.x", "system.posix_acl_access", "user"]) {
      const { error } = await server.ask(op.setxattr, 1, words([4, 1], [4, 0]), name, "x");
      expect(error, name).toBe(EOPNOTSUPP);
    }
  });

  it("opens no pipe, socket or device", async () => {
    const server = serve();
    const pipe = await server.ask(op.mknod, 1, words([4, 0o010644], [4, 0], [4, 0], [4, 0]), "p");
    expect((await server.ask(op.open, pipe.body.readBigUInt64LE(0), openRead)).error).toBe(EPERM);
    const create = words([4, 0], [4, 0o644], [4, 0], [4, 0]);
    expect((await server.ask(op.create, 1, create, "p")).error).toBe(EPERM);
  });

  it("changes nothing when it is read-only, whatever the guest's kernel asks", async () => {
    writeFileSync(join(share, "f"), "kept");
    const server = serve("ro");
    const file = await server.lookup(1, "f");
    expect(await contentOf(server, file)).toBe("kept");
    const answers: Reply[] = [
      await server.ask(op.open, file, openWrite),
      await server.ask(op.open, file, words([4, 0o1000], [4, 0])),
      await server.ask(op.mkdir, 1, mkdirBody, "d"),
      await server.ask(op.unlink, 1, "f"),
      await server.ask(op.rename, 1, words([8, 1]), "f", "g"),
      await server.ask(op.setattr, file, Buffer.alloc(88)),
      await server.ask(op.write, file, Buffer.alloc(40)),
      await server.ask(op.create, 1, words([4, 1], [4, 0o644], [4, 0], [4, 0]), "new"),
      await server.ask(op.setxattr, file, words([4, 1], [4, 0]), "user.x", "x"),
    ];
    expect(answers.map(({ error }) => error)).toEqual(answers.map(() => EROFS));
    expect(readdirSync(share)).toEqual(["f"]);
  });

  it.runIf(process.getuid?.() === 0)("has no more rights than who runs it", async () => {
    writeFileSync(join(share, "theirs"), "theirs", { mode: 0o600 });
    const server = serve("rw", undefined, 65533);
    const theirs = await server.ask(op.lookup, 1, "theirs");
    expect(theirs.body.readUInt32LE(40 + 68)).toBe(65534);
    expect(await contentOf(server, theirs.body.readBigUInt64LE(0))).toMatch(/^errno 13$/);
    const mine = await server.ask(op.mkdir, 1, mkdirBody, "mine");
    expect(mine.error).toBe(0);
    expect(mine.body.readUInt32LE(40 + 68)).toBe(0);
    expect(statSync(join(share, "mine")).uid).toBe(65533);
  });
});

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
    const server = new LiveMountServer(share);
    running.push(server);
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
