import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import {
  addEntry,
  checkName,
  claimName,
  findByName,
  list,
  nameBelow,
  readEntry,
  registryRoot,
  removeEntry,
  updateEntry,
  validatePid,
  watchRegistry,
} from "../../../src/runtime/registry/index.ts";
import { killed, useScratchRegistry } from "./scratch.ts";

const scratch = useScratchRegistry();
const SOCKET = "/run/x/exec.sock";

describe("registryRoot", () => {
  it("is under the home directory unless overridden", () => {
    expect(registryRoot()).toBe(join(scratch.dir, "vms"));
    delete process.env.MACHINEN_REGISTRY_DIR;
    expect(registryRoot()).toBe(join(homedir(), ".machinen", "vms"));
  });
});

describe("entries", () => {
  it("stores, changes, lists and drops a live machine", () => {
    const { pid } = scratch.sleeper();
    addEntry({ pid, socketPath: SOCKET, startedAt: 1, name: "one", parentPid: 7 });
    expect(existsSync(join(registryRoot(), String(pid), "meta.json"))).toBe(true);
    updateEntry(pid, { memoryCeilingMib: 512, hostname: "h" });
    expect(readEntry(pid)).toMatchObject({
      pid,
      socketPath: SOCKET,
      name: "one",
      parentPid: 7,
      memoryCeilingMib: 512,
      hostname: "h",
    });
    expect(list().map((entry) => entry.pid)).toEqual([pid]);
    expect(findByName("one")?.pid).toBe(pid);
    expect(findByName("two")).toBeUndefined();
    removeEntry(pid);
    expect(list()).toEqual([]);
    expect(readEntry(pid)).toBeUndefined();
    removeEntry(pid);
    updateEntry(pid, { hostname: "ghost" });
    expect(readEntry(pid)).toBeUndefined();
  });

  it("lists oldest first and forgets machines whose process has died", async () => {
    const [a, b, c] = [scratch.sleeper(), scratch.sleeper(), scratch.sleeper()];
    addEntry({ pid: a.pid, socketPath: SOCKET, startedAt: 30 });
    addEntry({ pid: b.pid, socketPath: SOCKET, startedAt: 10 });
    addEntry({ pid: c.pid, socketPath: SOCKET, startedAt: 20 });
    expect(list().map((entry) => entry.pid)).toEqual([b.pid, c.pid, a.pid]);
    await killed(c);
    expect(list().map((entry) => entry.pid)).toEqual([b.pid, a.pid]);
    expect(existsSync(join(registryRoot(), String(c.pid)))).toBe(false);
  });

  it("keeps a dead machine's record while it has files for gc to remove", async () => {
    const child = scratch.sleeper();
    const file = join(scratch.dir, "disk.img");
    writeFileSync(file, "x");
    addEntry({ pid: child.pid, socketPath: SOCKET, startedAt: 1, cleanupPaths: [file] });
    await killed(child);
    expect(list()).toEqual([]);
    expect(readEntry(child.pid)?.cleanupPaths).toEqual([file]);
    expect(existsSync(file)).toBe(true);
  });

  it("survives damaged, half-written, foreign and oversized records", async () => {
    const good = scratch.sleeper();
    const busy = scratch.sleeper();
    const dead = await scratch.deadPid();
    addEntry({ pid: good.pid, socketPath: SOCKET, startedAt: 1 });
    const put = (name: string, text: string) => {
      mkdirSync(join(registryRoot(), name), { recursive: true });
      writeFileSync(join(registryRoot(), name, "meta.json"), text);
    };
    put(String(busy.pid), '{"pid": 12, "sock');
    put(String(dead), "\0\0\0");
    put("1", JSON.stringify({ pid: 2, socketPath: "x", startedAt: 0 }));
    put("not-a-pid", "{}");
    put("99999999999999999999", "{}");
    mkdirSync(join(registryRoot(), "3", "meta.json"), { recursive: true });
    expect(list().map((entry) => entry.pid)).toEqual([good.pid]);
    // Its process lives: the writer may be about to put the record right.
    expect(existsSync(join(registryRoot(), String(busy.pid)))).toBe(true);
    expect(existsSync(join(registryRoot(), String(dead)))).toBe(false);
    put(String(good.pid), " ".repeat(2 << 20));
    expect(list()).toEqual([]);
  });

  it("drops fields of the wrong kind and fields it does not know", () => {
    const { pid } = scratch.sleeper();
    mkdirSync(join(registryRoot(), String(pid)), { recursive: true });
    writeFileSync(
      join(registryRoot(), String(pid), "meta.json"),
      JSON.stringify({
        pid,
        socketPath: SOCKET,
        startedAt: Date.now(),
        name: 7,
        cleanupPaths: ["/a/b", 3],
        portForward: [{ hostPort: 1, guestPort: 2 }],
        liveMounts: [{ guest: "/mnt/x", host: "/x", mode: "rx" }],
        __proto__x: 1,
      }),
    );
    const entry = readEntry(pid);
    expect(entry).toEqual({
      pid,
      socketPath: SOCKET,
      startedAt: entry!.startedAt,
      portForward: [{ hostPort: 1, guestPort: 2 }],
    });
  });

  it("removes what the dead machine of a reused pid has left", async () => {
    const { pid } = scratch.sleeper();
    const file = join(scratch.dir, "old.img");
    writeFileSync(file, "x");
    const stale = { pid, socketPath: SOCKET, startedAt: 1, processIdentity: "earlier:1" };
    addEntry({ ...stale, cleanupPaths: [file] });
    addEntry({ pid, socketPath: SOCKET, startedAt: 2 });
    expect(existsSync(file)).toBe(false);
    expect(readEntry(pid)?.cleanupPaths).toBeUndefined();
  });
});

describe("names", () => {
  it("gives a name to one holder and takes it back", () => {
    const { pid } = scratch.sleeper();
    const claim = claimName("web");
    expect(() => claimName("web")).toThrow(
      expect.objectContaining({ code: "REGISTRY_NAME_IN_USE" }),
    );
    claim.commit(pid);
    claim.release();
    expect(() => claimName("web")).toThrow(`process ${pid}`);
    addEntry({ pid, socketPath: SOCKET, startedAt: 1, name: "web" });
    removeEntry(pid);
    claimName("web").release();
    expect(readdirSync(join(registryRoot(), "names"))).toEqual([]);
  });

  it("lets a name and names below it live side by side", () => {
    const parent = claimName("worker");
    const child = claimName("worker/12");
    expect(existsSync(join(registryRoot(), "names", "worker", "12"))).toBe(true);
    parent.release();
    expect(() => claimName("worker/12")).toThrow("in use");
    claimName("worker").release();
    child.release();
    expect(readdirSync(join(registryRoot(), "names"))).toEqual([]);
  });

  it("takes a dead holder's name, also through a damaged pin", async () => {
    const child = scratch.sleeper();
    claimName("db").commit(child.pid);
    await killed(child);
    const claim = claimName("db");
    expect(() => claimName("db")).toThrow(`process ${process.pid}`);
    claim.release();
    const pin = join(registryRoot(), "names", "db", ".pin");
    for (const text of ["", "garbage", '{"pid":"x"}', '{"pid":-1}', "[".repeat(9000)]) {
      mkdirSync(join(registryRoot(), "names", "db"), { recursive: true });
      writeFileSync(pin, text);
      claimName("db").release();
      expect(existsSync(pin)).toBe(false);
    }
  });

  it("does not mistake a reused pid for the holder", () => {
    const { pid } = scratch.sleeper();
    claimName("db").commit(pid);
    const pin = join(registryRoot(), "names", "db", ".pin");
    const owner = JSON.parse(readFileSync(pin, "utf8"));
    writeFileSync(pin, JSON.stringify({ ...owner, identity: "earlier:1" }));
    expect(() => claimName("db").release()).not.toThrow();
  });

  it("prunes the pins of the dead and keeps those of the living", async () => {
    const child = scratch.sleeper();
    const alive = claimName("a/b");
    claimName("a/c/d").commit(child.pid);
    await killed(child);
    list();
    expect(readdirSync(join(registryRoot(), "names", "a"))).toEqual(["b"]);
    alive.release();
  });

  it("makes names below others that are never too long", () => {
    expect(nameBelow("web", "17")).toBe("web/17");
    let name = "é".repeat(100);
    for (let pid = 4_000_000; pid < 4_000_060; pid++) {
      name = nameBelow(name, String(pid));
      checkName(name);
      expect(name.endsWith(`/${pid}`)).toBe(true);
    }
    const cutAtSlash = nameBelow(`${"x".repeat(191)}/${"y".repeat(8)}`, "12345678");
    expect(cutAtSlash).toBe(`${"x".repeat(191)}/12345678`);
  });

  it("refuses names that are no names", () => {
    const bad = ["", "..", "a/../b", "/a", "a/", "a//b", ".", ".pin", "a/.x", "a\0b", "a\nb"];
    for (const name of [...bad, "x".repeat(201), "é".repeat(101)]) {
      expect(() => claimName(name), JSON.stringify(name)).toThrow(
        expect.objectContaining({ code: "PARSE_FLAG_MALFORMED" }),
      );
    }
    claimName("x".repeat(200)).release();
    expect(existsSync(join(scratch.dir, "b"))).toBe(false);
  });
});

describe("validatePid", () => {
  it("tells alive, dead and recycled", async () => {
    const { pid } = scratch.sleeper();
    const startedAt = Date.now();
    const exe = "/bin/sleep";
    expect(validatePid(pid, {})).toBe("alive");
    // Given as /bin/sleep, seen by the kernel as /usr/bin/sleep where /bin is a link.
    expect(validatePid(pid, { startedAt, vmmExe: exe })).toBe("alive");
    expect(validatePid(pid, { startedAt: startedAt - 4000 })).toBe("alive");
    expect(validatePid(pid, { startedAt: startedAt - 60_000 })).toBe("recycled");
    expect(validatePid(pid, { vmmExe: "/usr/bin/other" })).toBe("recycled");
    expect(validatePid(pid, { processIdentity: "earlier:1" })).toBe("recycled");
    expect(validatePid(await scratch.deadPid(), {})).toBe("dead");
    // Dead, but not yet waited for by whoever started it.
    const parent = spawn("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 1000"]);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    await vi.waitFor(() => expect(validatePid(Number(line), {})).toBe("dead"), 30_000);
    parent.kill("SIGKILL");
    for (const odd of [0, -1, 1.5, Number.NaN, 2 ** 40]) expect(validatePid(odd, {})).toBe("dead");
  });
});

describe("watchRegistry", () => {
  it("tells when machines are recorded, renamed and forgotten, until it is stopped", async () => {
    const onChange = vi.fn();
    const told = async (change: () => void): Promise<void> => {
      onChange.mockClear();
      change();
      await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), 60_000);
    };
    const stop = watchRegistry(onChange)!;
    const { pid } = scratch.sleeper();
    await told(() => addEntry({ pid, socketPath: SOCKET, startedAt: 1 }));
    await told(() => claimName("new").commit(pid));
    await told(() => removeEntry(pid));
    stop();
    await new Promise((resolve) => setImmediate(resolve));
    onChange.mockClear();
    mkdirSync(join(registryRoot(), "1"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(onChange).not.toHaveBeenCalled();
  });

  it("is not there where nothing can be watched", () => {
    writeFileSync(join(scratch.dir, "vms"), "");
    expect(watchRegistry(() => {})).toBeUndefined();
  });
});
