import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildAgent, parseFrames, Relay, stopRelay, until } from "./relay.ts";

/* A fresh agent each time: it waits only once. */
let relay: Relay;

beforeAll(buildAgent, 600_000);

beforeEach(async () => {
  relay = new Relay("wait");
  await relay.up();
});

afterEach(() => stopRelay(relay));

const malformed = [
  "",
  "{",
  "[]",
  "null",
  '"text"',
  "{} {}",
  '{"time":1}',
  '{"time":[]}',
  '{"time":[1]}',
  '{"time":[1,-1]}',
  '{"time":[1,1000000000]}',
  '{"time":[1.5,0]}',
  '{"time":[1,2,3]}',
  '{"time":[99999999999999999999,0]}',
  '{"entropy":""}',
  '{"entropy":"abc"}',
  '{"entropy":"zz"}',
  `{"entropy":"${"00".repeat(513)}"}`,
  '{"entropy":7}',
  '{"hostname":""}',
  '{"hostname":"a b"}',
  '{"hostname":["a"]}',
  '{"network":1}',
  '{"network":true,"connections":"no"}',
  '{"env":[]}',
  '{"cwd":1}',
  '{"env":{"A":"1"},"cwd":1}',
  '{"config":[]}',
  '{"config":"x"}',
  '{"config":{"env":{"A":"1"}},"time":"now"}',
  "[".repeat(5000),
];

const resume = (text: string) => `RESUME ${Buffer.byteLength(text)}\n${text}`;

/** Sends everything, ends, and gives the answers. */
async function control(...requests: string[]): Promise<string> {
  const connection = relay.open(1970);
  connection.socket.end(requests.join(""));
  await connection.ended();
  return connection.received.toString();
}

describe("a machine that waits", () => {
  it("starts the command of its first config, in its environment and directory", async () => {
    const file = join(relay.directory, "started");
    const command = ["/bin/sh", "-c", 'echo "$GREETING|$PWD" >"$1"', "sh", file];
    const config = { cmd: command, env: { GREETING: "hällo 1" }, cwd: "/usr" };
    expect(await control(resume(JSON.stringify({ config })))).toBe("OK\n");
    await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"));
    expect(readFileSync(file, "utf8")).toBe("hällo 1|/usr\n");
    expect((await relay.exec('echo "$GREETING|$PWD"')).output).toBe("hällo 1|/usr\n");
    const terminal = parseFrames(await relay.ask(1978, 'PTY 80 24 21\necho "$GREETING|$PWD"'));
    expect(terminal.output).toBe("hällo 1|/usr\r\n");
  });

  it("goes on waiting after a RESUME without a config, and takes only one", async () => {
    const first = resume(JSON.stringify({ config: { env: { WHICH: "first" } } }));
    const second = resume(JSON.stringify({ config: { env: { WHICH: "second" }, cwd: "/usr" } }));
    expect(await control(resume("{}"), resume('{"network":true}'), first, second)).toBe(
      "OK\nOK\nOK\nOK\n",
    );
    expect((await relay.exec('echo "$WHICH|$PWD"')).output).toBe("first|/root\n");
  });

  it("takes variables and a directory for all commands to come, at any time", async () => {
    const config = { env: { KEPT: "kept", A: "old" }, cwd: "/etc" };
    const later = { env: { A: "new", B: "more" }, cwd: "/usr" };
    expect(await control(resume(JSON.stringify({ config })), resume(JSON.stringify(later)))).toBe(
      "OK\nOK\n",
    );
    expect((await relay.exec('echo "$KEPT|$A|$B|$PWD"')).output).toBe("kept|new|more|/usr\n");
    expect(await control(resume("{}"))).toBe("OK\n");
    expect((await relay.exec('echo "$A|$PWD"')).output).toBe("new|/usr\n");
  });

  it("takes the text in pieces, and other requests around it", async () => {
    const text = JSON.stringify({
      config: { env: { A: "x".repeat(100_000), B: "line\nPOWEROFF\n" } },
    });
    const connection = relay.open(1970);
    connection.write(`PING\nRESUME ${text.length}\n${text.slice(0, 50_000)}`);
    await until(() => connection.received.includes("OK"));
    connection.write(`${text.slice(50_000)}DANCE\n`);
    await until(() => connection.received.toString().split("\n").length > 3);
    expect(connection.received.toString()).toMatch(/^OK \d+\nOK\nERR unknown request\n$/);
    connection.socket.destroy();
    expect((await relay.exec('echo "$(printf %s "$A" | wc -c)|$B|"')).output).toBe(
      "100000|line\nPOWEROFF\n|\n",
    );
  });

  it("refuses what is malformed and changes nothing", async () => {
    for (const text of malformed)
      expect([text, await control(resume(text), "PING\n")]).toEqual([
        text,
        expect.stringMatching(/^ERR malformed request\nOK \d+\n$/),
      ]);
    /* Text whose length nobody knows ends the connection. */
    for (const length of ["", " -1", " 262145", " 2 2", " 99999999999"])
      expect(await control(`RESUME${length}\n{}PING\n`)).toBe("ERR malformed request\n");
    const config = JSON.stringify({ config: { env: { LATER: "yes" } } });
    expect(await control(resume(config))).toBe("OK\n");
    expect((await relay.exec('echo "$A|$LATER"')).output).toBe("|yes\n");
  });

  it("changes no clock, random numbers or host name where it is not PID 1", async () => {
    const config = { env: { A: "1" } };
    const answers = await control(
      resume(JSON.stringify({ time: [1, 0], config })),
      resume(JSON.stringify({ entropy: "00ff", config })),
      resume(JSON.stringify({ hostname: "other", config })),
    );
    expect(answers).toBe("ERR not PID 1 here\n".repeat(3));
    expect((await relay.exec('echo "$A"')).output).toBe("\n");
  });

  it("drops a text that never came whole", async () => {
    expect(await control('RESUME 100\n{"config":{"env":{"A":"1"}}}')).toBe("");
    expect((await relay.exec('echo "$A"')).output).toBe("\n");
  });
});

describe("a machine that does not wait", () => {
  it("leaves its command and environment alone", async () => {
    const other = new Relay();
    await other.up();
    const file = join(other.directory, "started");
    const config = { cmd: ["/bin/touch", file], env: { A: "1" } };
    const connection = other.open(1970);
    connection.socket.end(resume(JSON.stringify({ config })));
    await connection.ended();
    expect(connection.received.toString()).toBe("OK\n");
    expect((await other.exec('sleep 0.1; echo "$A"')).output).toBe("\n");
    expect(existsSync(file)).toBe(false);
    await stopRelay(other);
  });
});
