import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Connection,
  parseFrames,
  processExists,
  type Relay,
  startRelay,
  stopRelay,
  until,
} from "./relay.ts";

let relay: Relay;

beforeAll(async () => {
  relay = await startRelay();
}, 600_000);
afterAll(() => stopRelay(relay));

function attach(name: string, command: string, cols = 80, rows = 24): Connection {
  const connection = relay.open(1978);
  connection.write(
    `PTYSESSION ${cols} ${rows} ${name.length} ${command.length}\n${name}${command}`,
  );
  return connection;
}

async function list(): Promise<string[][]> {
  const text = parseFrames(await relay.ask(1978, "PTYLIST\n")).output;
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t"));
}

async function detach(connection: Connection, name: string, left: number): Promise<void> {
  connection.socket.destroy();
  let clients = "";
  const look = async () => {
    clients = (await list()).find((line) => line[0] === name)?.[4] ?? "";
  };
  while (clients !== String(left)) await look();
}

const shell = "PS1='$ ' exec sh";

describe("a PTY of its own", () => {
  it("is a terminal of the asked size, follows resizes, and tells the exit code", async () => {
    const connection = relay.open(1978);
    const command =
      // A signal interrupts read: the loop must not take that for the end.
      "tty; stty size; trap 'stty size' WINCH; echo $TERM; while :; do read line; [ \"$line\" = q ] && exit 9; done";
    connection.write(`PTY 90 30 ${command.length}\n${command}`);
    await connection.shows("xterm-256color");
    expect(connection.result.output).toMatch(/\/dev\/pts\/\d+\r\n30 90\r\n/);
    connection.write("R 120 40\n");
    connection.type("\n");
    await connection.shows("40 120");
    connection.type("q\n");
    await connection.ended();
    expect(connection.result.code).toBe(9);
    expect(connection.result.types).toMatch(/^AO+X$/);
  });

  it("ends with its client", async () => {
    const connection = relay.open(1978);
    connection.write("PTY 80 24 20\necho up; sleep 10000");
    await connection.shows("up");
    const pid = connection.result.pid as number;
    connection.socket.destroy();
    await until(() => !processExists(pid));
    expect((await list()).length).toBe(0);
  });

  it("gives all output of a command that ends at once", async () => {
    for (let i = 0; i < 20; i++) {
      const result = parseFrames(await relay.ask(1978, "PTY 80 24 10\nseq 1 3000"));
      expect(result.output.endsWith("2999\r\n3000\r\n")).toBe(true);
    }
  });

  it("interrupts the foreground with S as with the key", async () => {
    const connection = relay.open(1978);
    connection.write("PTY 80 24 36\ntrap 'echo got' INT; cat; echo after");
    await connection.shows("");
    connection.type("x\n");
    await connection.shows("x\r\nx");
    connection.write("S INT\n");
    await connection.shows("after");
    connection.socket.destroy();
  });
});

describe("a session", () => {
  it("outlives its client and shows a new one what was before", async () => {
    const first = attach("work", shell, 100, 30);
    first.type("V=kept; echo first-$((1+1))\n");
    await first.shows("first-2");
    expect(first.result.types.startsWith("AW")).toBe(true);
    const pid = first.result.pid;
    await detach(first, "work", 0);

    const second = attach("work", "must-not-run", 80, 24);
    await second.shows("first-2");
    expect(second.result.types).toMatch(/^AWB/);
    expect(second.result.pid).toBe(pid);
    expect(second.result.sizes).toEqual(["100 30"]);
    expect(second.result.replay.toString()).toContain("first-2");
    second.type("echo $V; stty size\n");
    await second.shows("24 80");
    expect(second.result.stdout.toString()).toContain("kept");
    second.type("exit 5\n");
    await second.ended();
    expect(second.result.code).toBe(5);
    expect((await list()).some((line) => line[0] === "work")).toBe(false);
  });

  it("has several clients; who types last owns the size", async () => {
    const a = attach("shared", shell, 100, 30);
    await a.shows("$ ");
    const b = attach("shared", shell, 70, 20);
    await b.shows("$ ");
    const size = async () =>
      (await list())
        .find((line) => line[0] === "shared")
        ?.slice(2, 5)
        .join(" ");
    expect(await size()).toBe("70 20 2");
    a.type("echo both\n");
    await a.shows("both\r\n");
    await b.shows("both\r\n");
    expect(await size()).toBe("100 30 2");
    /* Not the owner's: remembered for later. */
    b.write("R 66 18\n");
    await relay.exec("true");
    expect(await size()).toBe("100 30 2");
    await detach(a, "shared", 1);
    expect(await size()).toBe("66 18 1");
    b.type("exit\n");
    await b.ended();
  });

  it("tells every client of its end", async () => {
    const clients = [attach("end", "read x; exit 3"), attach("end", "")];
    await until(() => clients.every((client) => client.result.types.includes("W")));
    clients[0]?.type("\n");
    await Promise.all(clients.map((client) => client.ended()));
    expect(clients.map((client) => client.result.code)).toEqual([3, 3]);
  });

  it("goes on while nobody watches, and replays a full ring from a line's start", async () => {
    const first = attach("flood", "seq 1 400000; echo finished; exec sleep 1000");
    await until(() => first.result.pid !== undefined);
    await detach(first, "flood", 0);
    await until(() => relay.agentPid > 0);
    const second = attach("flood", "");
    await second.shows("finished");
    const replay = second.result.output;
    /* The number at the start is whole: the next one follows it. */
    const lines = replay.split("\r\n");
    expect(Number(lines[1])).toBe(Number(lines[0]) + 1);
    expect(replay.length).toBeGreaterThan(500_000);
    await detach(second, "flood", 0);
    await relay.ask(1978, "PTYKILL 5\nflood");
  });

  it("waits for its only client, and loses nothing", async () => {
    const client = attach("slow", "seq 1 500000; echo finished; exec sleep 1000");
    client.socket.pause();
    for (let i = 0; i < 10; i++) await relay.exec("echo here");
    client.socket.resume();
    await client.shows("finished");
    const numbers = client.result.output.split("\r\n").slice(0, 500_000).map(Number);
    expect(numbers.every((number, i) => number === i + 1)).toBe(true);
    expect(client.result.types).not.toContain("B");
    client.socket.destroy();
    await relay.ask(1978, "PTYKILL 4\nslow");
  });

  it("skips a client that falls behind another", async () => {
    const fast = attach("race", "read x; seq 1 500000; echo finished; exec sleep 1000");
    const slow = attach("race", "");
    await until(() => slow.result.types.includes("W") && fast.result.types.includes("W"));
    slow.socket.pause();
    fast.type("\n");
    await fast.shows("finished");
    slow.socket.resume();
    await slow.shows("finished");
    expect(slow.result.sizes.length).toBeGreaterThan(1);
    expect(slow.result.replay.toString().startsWith("\u001bc")).toBe(true);
    expect(fast.result.sizes.length).toBe(1);
    /* From the last fresh start on nothing is missing. */
    const fresh = slow.result.output.split("\u001bc").at(-1) ?? "";
    const numbers = fresh
      .slice(0, fresh.indexOf("finished"))
      .split("\r\n")
      .slice(0, -1)
      .map(Number);
    expect(numbers.at(-1)).toBe(500_000);
    expect(numbers.every((number, i) => number === (numbers[0] ?? 0) + i)).toBe(true);
    fast.socket.destroy();
    slow.socket.destroy();
    await relay.ask(1978, "PTYKILL 4\nrace");
  });

  it("is listed, with a command that keeps to its line", async () => {
    const client = attach("listed-1.x_y", "sleep 1000;\techo\nx", 81, 25);
    await until(() => client.result.types.includes("W"));
    const line = (await list()).find((entry) => entry[0] === "listed-1.x_y");
    expect(line).toEqual([
      "listed-1.x_y",
      String(client.result.pid),
      "81",
      "25",
      "1",
      "sleep 1000; echo x",
    ]);
    expect(parseFrames(await relay.ask(1978, "PTYKILL 12\nlisted-1.x_y")).code).toBe(0);
    await client.ended();
  });

  it("is killed, also when it ignores the hang-up", async () => {
    const client = attach("stubborn", "trap '' HUP TERM; echo up; while :; do sleep 1000; done");
    await client.shows("up");
    expect(parseFrames(await relay.ask(1978, "PTYKILL 8\nstubborn")).code).toBe(0);
    await client.ended();
    expect(client.result.code).toBe(137);
    expect(parseFrames(await relay.ask(1978, "PTYKILL 8\nstubborn")).code).toBe(1);
  });

  it("takes more input than the terminal does at once", async () => {
    const client = attach("paste", "stty raw -echo; echo ready; head -c 300000 | wc -c");
    await client.shows("ready");
    for (let i = 0; i < 6; i++) client.type("p".repeat(50_000));
    await client.ended();
    expect(client.result.output).toContain("300000");
  });

  it("survives a new handshake in the middle of a frame; its clients do not", async () => {
    const before = attach("keep", shell);
    before.type("X=42; echo set\n");
    await before.shows("set\r\n");
    relay.command("garbage");
    await before.ended();
    await relay.up(2);
    expect(before.result.code).toBeUndefined();
    const after = attach("keep", "false");
    expect(after.result.pid).toBe(undefined);
    after.type("echo X is $X\n");
    await after.shows("X is 42");
    after.type("exit\n");
    await after.ended();
  });

  it("refuses bad names", async () => {
    for (const name of ["a/b", "", "x".repeat(65), "a b"]) {
      const request = `PTYSESSION 80 24 ${name.length} 4\n${name}true`;
      expect(parseFrames(await relay.ask(1978, request)).refusal).toMatch(/^SESSION_NAME /);
    }
  });
});
