import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { Machine, makeInitramfs, readAll } from "./machine.ts";
import { freePort, listeners, serve, useServers } from "./ports.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
const listen = useServers();
let initrd: string;

const boot = (env: Record<string, string> = {}) => keep(Machine.boot(scratch.path, initrd, env));
const fork = (machine: Machine, env?: Record<string, string>) =>
  keep(machine.fork(scratch.path, env));

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Sends all, half-closes, and gives what comes back. */
async function echoed(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(bytes);
  return readAll(socket);
}

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
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
