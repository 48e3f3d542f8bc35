import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFrames, type Relay, startRelay, stopRelay, until } from "./relay.ts";

let relay: Relay;

beforeAll(async () => {
  relay = await startRelay();
}, 600_000);
afterAll(() => stopRelay(relay));

/** Deterministic: a failing seed can be run again. */
function randomBytes(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("control", () => {
  it("answers each line", async () => {
    const connection = relay.open(1970);
    connection.write("PING\nSYNC\nDANCE\n\n");
    await until(() => connection.received.toString().split("\n").length > 4);
    expect(connection.received.toString()).toMatch(
      /^OK \d+\nOK\nERR unknown request\nERR unknown request\n$/,
    );
    connection.socket.end();
    await connection.ended();
  });

  it("changes nothing where it is not PID 1", async () => {
    const connection = relay.open(1970);
    connection.write("TIME 1 1\nHOSTNAME x\nENTROPY 00\nPOWEROFF\nPING\n");
    await until(() => connection.received.includes("OK"));
    expect(connection.received.toString()).toMatch(/^(ERR not PID 1 here\n){4}OK \d+\n$/);
    connection.socket.destroy();
  });

  it("survives a line without end", async () => {
    const connection = relay.open(1970);
    connection.write("P".repeat(300_000));
    connection.write("\nPING\n");
    await until(() => connection.received.includes("OK"));
    expect(connection.received.toString()).toMatch(/^ERR unknown request\nOK \d+\n$/);
    connection.socket.destroy();
  });
});

describe("secrets", () => {
  it("reach later commands, and only under valid names", async () => {
    const connection = relay.open(1975);
    connection.socket.end("TOKEN=a b=c\n1BAD=x\nBAD-KEY=x\n=x\nnothing\nLAST=no newline");
    await connection.ended();
    const result = await relay.exec('echo "$TOKEN|$LAST"; env | grep -c BAD');
    expect(result.output).toBe("a b=c|no newline\n0\n");
  });
});

describe("requests", () => {
  it("refuses an unserved port", async () => {
    const connection = relay.open(4242);
    connection.write("hello");
    await connection.ended();
    expect(connection.received.length).toBe(0);
  });

  it.each([
    "HELLO\n",
    "exec true\n",
    "EXEC2 x\n",
    "EXEC2 -1\n",
    "EXEC2 999999999999\n",
    "EXEC2 1 2\na",
    "PTY 80\n",
    "PTY 80 24 99999999\n",
    "PTY 20000 24 4\ntrue",
    "PTYLIST now\n",
    "PTYKILL\n",
    `${"A".repeat(200)}\n`,
    "EXEC2 5\na\0bcd",
  ])("refuses %j", async (request) => {
    const result = parseFrames(await relay.ask(1978, request));
    expect(result.refusal).toMatch(/^[A-Z_]+ ./);
    expect(result.pid).toBeUndefined();
  });

  it("ends a command whose client sends malformed frames", async () => {
    for (const frame of [
      "Q 1\n",
      "I x\n",
      "I 65537\n",
      "R 0 0\n",
      "S 999\n",
      "S NOPE\n",
      "x".repeat(40),
    ]) {
      const connection = relay.open(1978);
      connection.write("EXEC echo up; sleep 1000\n");
      await connection.shows("up");
      connection.write(frame);
      await connection.ended();
      expect(connection.result.refusal).toMatch(/^BAD_FRAME /);
    }
  });

  it("serves 50 at once", async () => {
    const all = await Promise.all(
      [...Array(50).keys()].map((i) => relay.exec(`sleep 0.2; echo ${i}`)),
    );
    expect(all.map((result) => Number(result.output))).toEqual([...Array(50).keys()]);
  });

  it.each([1, 2, 3, 4])("outlives random requests (seed %i)", async (seed) => {
    const random = randomBytes(seed);
    const words = [
      "EXEC ",
      "EXEC2 ",
      "EXEC3 ",
      "PTY ",
      "PTYSESSION ",
      "PTYKILL ",
      "PTYLIST\n",
      "I ",
      "R ",
      "S ",
      "C\n",
      "80 24 ",
      "4\n",
      "true\n",
      "\n",
      "1 ",
      "0\n",
      "env A=B\n",
      "name",
      ":;",
    ];
    for (let round = 0; round < 60; round++) {
      const parts: Buffer[] = [];
      for (let i = random(12); i >= 0; i--) {
        const noise = Buffer.from([...Array(random(6))].map(() => random(256)));
        parts.push(random(5) === 0 ? noise : Buffer.from(words[random(words.length)] ?? ""));
      }
      /* Nothing here may name a program, but a shell may be asked for odd things: keep them harmless. */
      const bytes = Buffer.from(
        Buffer.concat(parts)
          .toString("latin1")
          .replace(/[>&|`$]/g, "_"),
        "latin1",
      );
      const connection = relay.open(1978);
      connection.socket.write(bytes);
      if (random(2) === 0) connection.socket.end();
      else await relay.exec("true");
      connection.socket.destroy();
    }
    expect((await relay.exec("echo alive")).output).toBe("alive\n");
  });
});
