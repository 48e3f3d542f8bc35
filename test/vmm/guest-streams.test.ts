import { createHash, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { FrameReader, Machine, makeInitramfs, readAll, sleep, until } from "./machine.ts";
import { useMachines } from "./use-machines.ts";

const { scratch, keep } = useMachines();
let initrd: string;

const boot = () => keep(Machine.boot(scratch.path, initrd));

beforeAll(() => {
  initrd = makeInitramfs(scratch.path);
});

/** Sends `request`, then `bytes`, on one exec stream; resolves with what came back. */
async function stream(machine: Machine, header: string, bytes: Buffer) {
  const connection = await machine.connect("exec");
  const request = Buffer.from(header);
  connection.write(`EXEC3 ${request.length}\n`);
  connection.write(request);
  for (let at = 0; at < bytes.length; at += 65_536) {
    const piece = bytes.subarray(at, at + 65_536);
    connection.write(`I ${piece.length}\n`);
    connection.write(piece);
  }
  connection.write("C\n");
  return new Promise<{ code: number; length: number; sha256: string }>((resolve, reject) => {
    const hash = createHash("sha256");
    let length = 0;
    const reader = new FrameReader((kind, line, payload) => {
      if (kind === "O") {
        hash.update(payload);
        length += payload.length;
      }
      if (kind === "!") reject(new Error(line));
      if (kind === "X") {
        connection.destroy();
        resolve({ code: Number(line), length, sha256: hash.digest("hex") });
      }
    });
    connection.on("data", (chunk) => reader.push(chunk));
    connection.on("error", reject);
    connection.on("close", () => reject(new Error("closed early")));
  });
}

/** A `cat` in the guest that answers line by line. */
async function openCat(machine: Machine) {
  const connection = await machine.connect("exec");
  connection.write("EXEC3 12\nstdin 1\n\ncat");
  let heard = "";
  let code: number | undefined;
  const reader = new FrameReader((kind, line, payload) => {
    if (kind === "O") heard += payload.toString();
    if (kind === "X") code = Number(line);
  });
  connection.on("data", (chunk) => reader.push(chunk));
  return {
    echo: async (line: string) => {
      connection.write(`I ${line.length}\n${line}`);
      await until(`the echo of ${line}`, () => heard.endsWith(line));
    },
    finish: () => {
      connection.write("C\n");
      return until("cat's end", () => (code === undefined ? undefined : { code })).then(
        (end) => end.code,
      );
    },
  };
}

describe("streams", () => {
  it("carries 100 MB unharmed while 50 other streams stay interactive", async () => {
    const machine = boot();
    const others = await Promise.all(Array.from({ length: 50 }, () => openCat(machine)));
    const bytes = randomBytes(5_000_000);
    let done = false;
    const flood = machine
      .exec("dd if=/dev/zero bs=1M count=100 2>/dev/null | tr '\\0' x")
      .finally(() => {
        done = true;
      });
    const echo = stream(machine, "stdin 1\n\ncat", bytes);
    let rounds = 0;
    for (; !done; rounds++) {
      await others[rounds % others.length]!.echo(`line ${rounds}\n`);
      await sleep(20);
    }
    expect(rounds).toBeGreaterThan(50);
    const { stdout } = await flood;
    expect(stdout.length).toBe(100 * 1024 * 1024);
    expect(/^x*$/.test(stdout)).toBe(true);
    expect(await echo).toEqual({
      code: 0,
      length: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
    expect(await Promise.all(others.map((other) => other.finish()))).toEqual(others.map(() => 0));
  }, 180_000);

  it("half-closes both ways", async () => {
    const machine = boot();
    const agent = await machine.connect("agent");
    agent.end("PING\n");
    expect((await readAll(agent)).toString()).toMatch(/^OK \d+\n$/);
  }, 60_000);

  it("kills the command of a client that vanishes", async () => {
    const machine = boot();
    const connection = await machine.connect("exec");
    connection.write("EXEC sleep 987\n");
    await until("the command", async () => (await machine.run("ps")).includes("sleep 987"));
    connection.destroy();
    await until("its end", async () => !(await machine.run("ps")).includes("sleep 987"));
  }, 60_000);

  it("stops reading a client whose guest program does not read, and delivers everything later", async () => {
    const machine = boot();
    const bytes = randomBytes(3_000_000);
    const echo = stream(
      machine,
      "stdin 1\n\nwhile [ ! -e /tmp/go ]; do sleep 0.1; done; cat",
      bytes,
    );
    expect(await machine.run("echo between")).toBe("between\n");
    await machine.run("touch /tmp/go");
    expect((await echo).sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  }, 60_000);
});
