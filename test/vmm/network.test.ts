import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isAlive, Machine, makeInitramfs, readAll, until, vmmBinary } from "./machine.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
const servers: Server[] = [];
let initrd: string;

/** An address of this host that is no loopback address, though nothing sent to it leaves the machine. */
const outside = `198.18.${process.pid & 255}.${((process.pid >> 8) & 127) + 1}`;
const addressOnHost = (verb: "add" | "del") =>
  execFileSync("ip", ["address", verb, `${outside}/32`, "dev", "lo"], { stdio: "pipe" });

function canAddAddress(): boolean {
  try {
    addressOnHost("add");
    return true;
  } catch {
    return false;
  }
}
const hasOutside = canAddAddress();
const describeOutside = describe.skipIf(!hasOutside);
const REASON = hasOutside ? "" : " (skipped: only root can give this host an address to reach)";

const boot = (env: Record<string, string> = {}) => keep(Machine.boot(scratch.path, initrd, env));
const fork = (machine: Machine, env?: Record<string, string>) =>
  keep(machine.fork(scratch.path, env));

/** A server of this test, and its port. */
async function listen(host: string, onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  servers.push(server);
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Sends all, half-closes, and gives what comes back. */
async function echoed(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(bytes);
  return readAll(socket);
}

/** Starts a program in the guest and waits until it listens. The number of l's is busybox's listen backlog. */
async function serve(machine: Machine, port: number, program: string): Promise<void> {
  await machine.run(`nc -${"l".repeat(32)} -p ${port} -e ${program} >/dev/null 2>&1 </dev/null &`);
  const line = `:${port.toString(16).toUpperCase().padStart(4, "0")} .* 0A `;
  await until(`port ${port} in the guest`, async () =>
    /\d/.test(await machine.run(`grep '${line}' /proc/net/tcp /proc/net/tcp6 || true`)),
  );
}

/** Local addresses of the TCP sockets on which these processes listen. */
function listeners(...pids: number[]): string[] {
  const inodes = new Set(
    pids.flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    ),
  );
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((words) => inodes.has(words[9] ?? "") && words[3] !== "01")
      .map((words) => `${table} ${words[1]}`),
  );
}

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => {
  if (hasOutside) addressOnHost("del");
});

describe("forwards", () => {
  it("carries ten transfers at once, both ways, through a half-close and a fork, byte for byte", async () => {
    const port = await freePort();
    const machine = boot({ MACHINEN_FORWARD: `127.0.0.1:${port}:7` });
    await serve(machine, 7, "cat");
    const payloads = Array.from({ length: 10 }, () => randomBytes(3_000_000));
    const transfers = payloads.map((bytes) => echoed(port, bytes));
    const child = fork(machine);
    expect(await child.run("echo there")).toBe("there\n");
    const received = await Promise.all(transfers);
    expect(received.map(digest)).toEqual(payloads.map(digest));
  }, 120_000);

  it("are made and removed while the machine runs, each of one machine only", async () => {
    const [first, second] = [await freePort(), await freePort()];
    const machine = boot({ MACHINEN_FORWARD: `127.0.0.1:${first}:7` });
    await serve(machine, 7, "cat");
    expect(await machine.control(`forward add 127.0.0.1 ${second} 7`)).toEqual({ ok: true });
    expect(await machine.control("forward list")).toEqual({
      ok: true,
      forwards: [
        ["127.0.0.1", first, 7],
        ["127.0.0.1", second, 7],
      ],
    });
    expect((await echoed(second, Buffer.from("second"))).toString()).toBe("second");
    const open = connect(second, "127.0.0.1");
    await once(open, "connect");
    expect(await machine.control(`forward remove 127.0.0.1 ${second}`)).toEqual({ ok: true });
    expect(await machine.control(`forward remove 127.0.0.1 ${second}`)).toMatchObject({
      ok: false,
      code: "NO_FORWARD",
    });
    await expect(echoed(second, Buffer.from("gone"))).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
    open.write("still there");
    expect((await once(open, "data"))[0].toString()).toBe("still there");
    open.destroy();

    const child = fork(machine);
    expect(await child.control("forward list")).toEqual({ ok: true, forwards: [] });
    expect((await echoed(first, Buffer.from("parent's"))).toString()).toBe("parent's");
    expect(await child.control(`forward add 127.0.0.1 ${second} 7`)).toEqual({ ok: true });
    expect((await echoed(second, Buffer.from("child's"))).toString()).toBe("child's");
  }, 120_000);

  it("names who holds a port that is taken, at the start and later", async () => {
    const taken = await listen("127.0.0.1", () => {});
    const holder = new RegExp(`127.0.0.1:${taken} is in use by .+ \\(pid ${process.pid}\\)`);
    const refused = boot({ MACHINEN_FORWARD: `127.0.0.1:${taken}:7` });
    expect(await refused.ended).toEqual({ code: 2, signal: null });
    expect(refused.console).toMatch(/^PORT_IN_USE: [^\n]+\n$/);
    expect(refused.console).toMatch(holder);

    const everywhere = await listen("0.0.0.0", () => {});
    const machine = boot();
    for (const port of [taken, everywhere]) {
      const answer = await machine.control(`forward add 127.0.0.1 ${port} 7`);
      expect(answer).toMatchObject({ ok: false, code: "PORT_IN_USE" });
      expect(answer.message).toContain(`(pid ${process.pid})`);
    }
    expect(await machine.control("forward add 203.0.113.77 7777 7")).toMatchObject({
      ok: false,
      code: "PORT_REFUSED",
    });
  }, 60_000);

  it("refuses what is no forward", async () => {
    for (const list of ["1:2", "127.0.0.1:0:7", "127.0.0.1:1:65536", "::1:1:2", "x:1:2", ","]) {
      const refused = boot({ MACHINEN_FORWARD: list });
      expect([list, await refused.ended]).toEqual([list, { code: 2, signal: null }]);
      expect(refused.console).toMatch(/^BAD_FORWARD: [^\n]+\n$/);
    }
    const machine = boot();
    for (const request of ["", "add", "add 127.0.0.1 1", "list all", "remove 127.0.0.1", "x"]) {
      expect(await machine.control(`forward ${request}`)).toMatchObject({
        ok: false,
        code: "BAD_REQUEST",
      });
    }
  }, 60_000);
});

describe("what is closed", () => {
  it("keeps the guest from the host's loopback addresses, however it asks", async () => {
    let seen = 0;
    const port = await listen("127.0.0.1", (socket) => {
      seen++;
      socket.end("secret");
    });
    expect((await readAll(connect(port, "127.0.0.1"))).toString()).toBe("secret");
    const datagrams = createSocket("udp4", () => seen++);
    datagrams.bind(port, "127.0.0.1");
    await once(datagrams, "listening");
    const machine = boot();
    const tries = ["10.0.2.2", "10.0.2.3", "10.0.2.15", "10.0.2.255"];
    for (const to of tries) {
      expect([to, (await machine.exec(`nc -w 2 ${to} ${port} </dev/null`)).stdout]).toEqual([
        to,
        "",
      ]);
    }
    const datagram = (to: string) =>
      machine.exec(`timeout 1 tftp -g -r x -l /dev/null ${to} ${port}`);
    for (const to of tries) await datagram(to);
    // The guest is its own master: it can send to 127.0.0.1 through the card.
    await machine.run(
      "ip address flush dev lo; for i in all eth0; do echo 1 >/proc/sys/net/ipv4/conf/$i/route_localnet; done; ip route add 127.0.0.0/8 via 10.0.2.2 dev eth0",
    );
    expect(await machine.run("ip route get 127.0.0.1")).toContain("eth0");
    const sent = "cat /sys/class/net/eth0/statistics/tx_packets";
    const before = Number(await machine.run(sent));
    expect((await machine.exec(`nc -w 2 127.0.0.1 ${port} </dev/null`)).stdout).toBe("");
    await datagram("127.0.0.1");
    expect(Number(await machine.run(sent))).toBeGreaterThan(before + 1);
    datagrams.close();
    expect(seen).toBe(1);
  }, 60_000);

  it("listens on nothing but the forwards", async () => {
    const port = await freePort();
    const machine = boot({ MACHINEN_FORWARD: `127.0.0.1:${port}:7` });
    await machine.run("true");
    const { qemuPid } = await machine.control("status");
    expect(listeners(machine.process.pid!, qemuPid as number)).toEqual([
      `tcp 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`,
    ]);
  }, 60_000);

  it("has no network where it is switched off, also in a copy, and the other way round", async () => {
    const port = await freePort();
    const off = { MACHINEN_NETWORK: "0" };
    const refused = boot({ ...off, MACHINEN_FORWARD: `127.0.0.1:${port}:7` });
    expect(await refused.ended).toEqual({ code: 2, signal: null });
    expect(refused.console).toMatch(/^NETWORK_OFF: /);

    const [without, machine] = [boot(off), boot()];
    const reaches = async (from: Machine) =>
      (await from.exec("ping -c 1 -W 2 10.0.2.2")).code === 0;
    const flags = "cat /sys/class/net/eth0/flags";
    expect(await reaches(without)).toBe(false);
    expect(await without.control("forward list")).toMatchObject({ ok: false, code: "NETWORK_OFF" });
    expect(Number(await without.run(flags)) & 1).toBe(0);
    expect(await reaches(fork(without))).toBe(false);
    expect(await reaches(fork(without, { MACHINEN_NETWORK: "1" }))).toBe(true);
    const alsoRefused = fork(without, { MACHINEN_FORWARD: `127.0.0.1:${port}:7` });
    expect(await alsoRefused.ended).toEqual({ code: 4, signal: null });
    expect(alsoRefused.console).toMatch(/^NETWORK_OFF: /);
    expect(await reaches(machine)).toBe(true);
    const cut = fork(machine, off);
    expect(Number(await cut.run(flags)) & 1).toBe(0);
    expect(await reaches(cut)).toBe(false);
    expect(await reaches(fork(cut, { MACHINEN_NETWORK: "1" }))).toBe(true);
  }, 120_000);
});

describeOutside(`the world${REASON}`, () => {
  it("is reached by TCP, and answers", async () => {
    const port = await listen(outside, (socket) => socket.pipe(socket));
    const machine = boot();
    const sum = await machine.run(
      `dd if=/dev/urandom of=/tmp/sent bs=64k count=40 2>/dev/null; nc ${outside} ${port} </tmp/sent >/tmp/back; cat /tmp/sent | sha256sum; cat /tmp/back | sha256sum`,
    );
    const [sent, back] = sum.trim().split("\n");
    expect(back).toBe(sent);
  }, 60_000);

  it("is asked for names through the host's own resolver", async () => {
    const asked: string[] = [];
    const server = createSocket("udp4", (question, from) => {
      const name = question.subarray(12, question.indexOf(0, 12) + 1);
      asked.push(name.toString("latin1").replace(/[^a-z]+/g, "."));
      const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 99]);
      const isA = question.readUInt16BE(12 + name.length) === 1;
      const head = Buffer.from(question.subarray(0, 12 + name.length + 4));
      head.writeUInt16BE(0x8180, 2);
      head.writeUInt16BE(isA ? 1 : 0, 6);
      server.send(isA ? Buffer.concat([head, answer]) : head, from.port, from.address);
    });
    server.bind(53, outside);
    await once(server, "listening");
    try {
      const resolver = join(scratch.path, "resolv.conf");
      writeFileSync(resolver, `nameserver ${outside}\n`);
      const program = `mount --bind '${resolver}' /etc/resolv.conf && exec '${vmmBinary}'`;
      const command = ["unshare", "--mount", "sh", "-c", program];
      const machine = keep(Machine.boot(scratch.path, initrd, {}, command));
      expect(await machine.run("nslookup -type=a machine.example")).toContain("192.0.2.99");
      expect(asked).toContain(".machine.example.");
    } finally {
      server.close();
    }
  }, 60_000);

  it("keeps its connections with the parent of a fork; in the child they end at once, and new ones work", async () => {
    const sockets: Socket[] = [];
    const port = await listen(outside, (socket) => sockets.push(socket));
    const forwarded = await freePort();
    const machine = boot({ MACHINEN_FORWARD: `127.0.0.1:${forwarded}:7` });
    await serve(machine, 7, "cat");
    await serve(machine, 9, "cat");
    // Each notes with what it ends, and when.
    const note = (name: string) =>
      `; code=$?; read up rest </proc/uptime; echo "$code $up" >/tmp/${name}.end`;
    const programs = {
      reader: "cat >/tmp/reader.out",
      writer: "(while :; do echo line || exit 1; sleep 0.02; done)",
    };
    for (const [name, program] of Object.entries(programs)) {
      const text = `#!/bin/sh\n${program} 2>/tmp/${name}.err${note(name)}\n`;
      await machine.run(`echo '${text}' >/tmp/${name}; chmod +x /tmp/${name}`);
      await machine.run(`nc ${outside} ${port} -e /tmp/${name} >/dev/null 2>&1 </dev/null &`);
      await until(
        `the ${name}'s connection`,
        () => sockets.length === Object.keys(programs).indexOf(name) + 1,
      );
    }
    await machine.run(
      `mkfifo /tmp/inside.in; (sleep 1000 >/tmp/inside.in & nc 127.0.0.1 9 </tmp/inside.in >/tmp/inside.out${note("inside")}) >/dev/null 2>&1 </dev/null &`,
    );
    const inbound = connect(forwarded, "127.0.0.1");
    inbound.write("before\n");
    expect((await once(inbound, "data"))[0].toString()).toBe("before\n");
    sockets[0]!.write("one\n");
    await until("the reader", async () => (await machine.run("cat /tmp/reader.out")) === "one\n");
    let written = 0;
    sockets[1]!.on("data", (bytes: Buffer) => (written += bytes.length));

    const child = fork(machine);
    const [resumed] = (await child.run("cat /proc/uptime")).split(" ");
    for (const name of ["reader", "writer"]) {
      const end = await until(`the child's ${name} to end`, () =>
        child.run(`cat /tmp/${name}.end 2>/dev/null || true`),
      );
      const [code, at] = end.trim().split(" ");
      expect([name, code]).not.toEqual([name, "0"]);
      expect(Number(at)).toBeLessThan(Number(resumed) + 1);
    }
    expect(await child.run("cat /tmp/reader.err")).toMatch(/abort|reset/i);
    expect(await child.run("cat /tmp/writer.err")).toMatch(/abort|reset|pipe/i);
    await child.run("echo kept >/tmp/inside.in");
    await until("the connection inside the child", async () =>
      (await child.run("cat /tmp/inside.out")).includes("kept"),
    );
    expect(await child.run("ls /tmp/inside.end 2>&1 || true")).toContain("No such file");
    const mark = written;
    await until("more from the parent's writer", () => written > mark);
    sockets[0]!.write("two\n");
    await until("the parent's reader", async () =>
      (await machine.run("cat /tmp/reader.out")).includes("two"),
    );
    expect(await child.run("cat /tmp/reader.out")).toBe("one\n");
    inbound.write("after\n");
    expect((await once(inbound, "data"))[0].toString()).toBe("after\n");
    inbound.destroy();
    expect(await machine.run("ls /tmp/*.end 2>/dev/null || true")).toBe("");

    await child.run(`(echo new | nc ${outside} ${port}) >/dev/null 2>&1 </dev/null &`);
    await until("the child's own connection", () => sockets.length === 3);
    expect((await once(sockets[2]!, "data"))[0].toString()).toBe("new\n");
  }, 120_000);

  it("never takes the last descriptor of a machine, and outlives a flood", async () => {
    const port = await listen(outside, () => {});
    const machine = boot({ MACHINEN_MEMORY: "512" });
    await machine.run(
      `for i in $(seq 700); do nc -w 3 ${outside} ${port} </dev/null >/dev/null 2>&1 & done; sleep 3`,
    );
    const open = readdirSync(`/proc/${machine.process.pid}/fd`).length;
    expect(open).toBeGreaterThan(100);
    expect(open).toBeLessThan(560);
    expect(await machine.control("status")).toMatchObject({ ok: true, state: "running" });
    expect(await machine.run("echo alive")).toBe("alive\n");
    expect(isAlive(machine.process.pid!)).toBe(true);
  }, 120_000);
});
