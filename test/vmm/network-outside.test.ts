import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isAlive, Machine, makeInitramfs, until, vmmBinary } from "./machine.ts";
import { NO_OUTSIDE_ADDRESS, useOutsideAddress } from "./outside-address.ts";
import { freePort, serve, useServers } from "./ports.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
const listen = useServers();
let initrd: string;

const address = useOutsideAddress();
const outside = address ?? "";
const describeOutside = describe.skipIf(address === undefined);
const REASON = address === undefined ? NO_OUTSIDE_ADDRESS : "";

const boot = (env: Record<string, string> = {}) => keep(Machine.boot(scratch.path, initrd, env));
const fork = (machine: Machine) => keep(machine.fork(scratch.path));

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
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

  it("keeps its connections with the parent of a fork; in the child they end, and new ones work", async () => {
    const sockets: Socket[] = [];
    const port = await listen(outside, (socket) => sockets.push(socket));
    const forwarded = await freePort();
    const machine = boot({ MACHINEN_FORWARD: `127.0.0.1:${forwarded}:7` });
    await serve(machine, 7, "cat");
    await serve(machine, 9, "cat");
    // Each notes with what it ends.
    const note = (name: string) => `; echo $? >/tmp/${name}.end`;
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
    for (const name of ["reader", "writer"]) {
      const end = await until(`the child's ${name} to end`, () =>
        child.run(`cat /tmp/${name}.end 2>/dev/null || true`),
      );
      expect([name, end.trim()]).not.toEqual([name, "0"]);
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
      `for i in $(seq 700); do nc -w 60 ${outside} ${port} </dev/null >/dev/null 2>&1 & done; sleep 3`,
    );
    const open = readdirSync(`/proc/${machine.process.pid}/fd`).length;
    expect(open).toBeGreaterThan(100);
    expect(open).toBeLessThan(560);
    expect(await machine.control("status")).toMatchObject({ ok: true, state: "running" });
    expect(await machine.run("echo alive")).toBe("alive\n");
    expect(isAlive(machine.process.pid!)).toBe(true);
  }, 120_000);
});
