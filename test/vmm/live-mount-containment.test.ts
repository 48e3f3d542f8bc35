import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { op, type Reply, say, words } from "./live-mount-server.ts";
import { until } from "./machine.ts";
import {
  contentOf,
  mkdirBody,
  openRead,
  openWrite,
  pauseFor,
  readBody,
  useShare,
} from "./use-share.ts";

const { EINVAL, ENOTDIR, EPERM, EROFS, ESTALE, EOPNOTSUPP, ENAMETOOLONG } = constants.errno;
const { share, scratch, serve } = useShare();

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
