import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFrames, processExists, type Relay, startRelay, stopRelay, until } from "./relay.ts";

let relay: Relay;

function childrenOf(pid: number): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return listed === "" ? [] : listed.split(" ").map(Number);
}

beforeAll(async () => {
  relay = await startRelay();
}, 600_000);
afterAll(() => stopRelay(relay));

describe("exec", () => {
  it("runs a line and tells its exit code", async () => {
    const result = parseFrames(await relay.ask(1978, "EXEC echo out; echo err >&2; exit 7\n"));
    expect(result).toMatchObject({ code: 7 });
    expect(result.pid).toBeGreaterThan(0);
    expect(result.types[0]).toBe("A");
    expect(result.stdout.toString()).toBe("out\n");
    expect(result.stderr.toString()).toBe("err\n");
  });

  it("tells death by a signal, and a program that is not there", async () => {
    expect((await relay.exec("kill -9 $$")).code).toBe(137);
    expect((await relay.exec("kill -TERM $$")).code).toBe(143);
    expect((await relay.exec("no-such-program")).code).toBe(127);
  });

  it("takes commands of several lines and of any bytes", async () => {
    expect((await relay.exec("printf '%s\\n' 'a\nb' 'ü€😀'")).stdout.toString()).toBe(
      "a\nb\nü€😀\n",
    );
  });

  it("carries binary output", async () => {
    const result = await relay.exec(
      'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %o $i)"; i=$((i+1)); done',
    );
    expect([...result.stdout]).toEqual([...Array(256).keys()]);
  });

  it("carries 20 MB intact on both outputs at once", async () => {
    const script =
      "yes 0123456789abcdefghij | head -c 10000000 & yes ERR | head -c 10000000 >&2; wait";
    const result = await relay.exec(script);
    const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    const expected = (line: string) => Buffer.alloc(10_000_000, line);
    expect(result.code).toBe(0);
    expect(digest(result.stdout)).toBe(digest(expected("0123456789abcdefghij\n")));
    expect(digest(result.stderr)).toBe(digest(expected("ERR\n")));
  });

  it("takes a command larger than one argument may be", async () => {
    const text = "x".repeat(1_000_000);
    const result = await relay.exec(`cat <<'END' | wc -c\n${text}\nEND\nexit 5`);
    expect(result.stdout.toString().trim()).toBe("1000001");
    expect(result.code).toBe(5);
  });

  it("lets a program go on that asks its parent to trace it", async () => {
    const traceMe = `exec perl -e 'syscall(101, 0, 0, 0, 0); system("true"); print "went on"'`;
    expect((await relay.exec(traceMe)).stdout.toString()).toBe("went on");
  });

  it("does not wait for what a command leaves in the background", async () => {
    const result = await relay.exec("sleep 1000 & echo $!");
    const pid = Number(result.stdout.toString());
    expect(result.code).toBe(0);
    expect(processExists(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  it("starts nothing before the request is whole", async () => {
    const file = join(relay.directory, "started");
    const connection = relay.open(1978);
    connection.write(`EXEC2 ${Buffer.byteLength(`: >${file}`)}\n: >${file.slice(0, -1)}`);
    await relay.exec("true");
    expect(existsSync(file)).toBe(false);
    connection.write(file.slice(-1));
    await connection.ended();
    expect(existsSync(file)).toBe(true);
  });

  it("keeps a command whose client only half-closes", async () => {
    const connection = relay.open(1978);
    connection.socket.end("EXEC sleep 0.2; echo done\n");
    await connection.ended();
    expect(connection.result).toMatchObject({ code: 0, output: "done\n" });
  });

  it("kills the whole session when the client leaves", async () => {
    const file = join(relay.directory, "pids");
    const connection = relay.open(1978);
    connection.write(
      `EXEC set -m; sleep 1000 & sh -c 'trap "" HUP TERM; echo $$; exec sleep 1000' & echo $$ $! ; wait\n`,
    );
    await until(() => connection.result.output.split("\n").length > 2);
    const pids = connection.result.output.split(/\s+/).filter(Boolean).map(Number);
    expect(pids.every(processExists)).toBe(true);
    connection.socket.destroy();
    await until(
      () => !pids.some(processExists),
      () => `${pids} ${file}`,
    );
  });

  it("stops a command whose client does not read, and loses nothing", async () => {
    const connection = relay.open(1978);
    connection.socket.pause();
    connection.write("EXEC yes 0123456 | head -c 8000000; echo $? >&2\n");
    /* Meanwhile others are served. */
    for (let i = 0; i < 5; i++) expect((await relay.exec("echo here")).output).toBe("here\n");
    connection.socket.resume();
    await connection.ended();
    expect(connection.result.stdout.equals(Buffer.alloc(8_000_000, "0123456\n"))).toBe(true);
  });

  it("reaps orphans", async () => {
    const result = await relay.exec(
      "for i in 1 2 3 4 5; do (sh -c 'sleep 0.1; exit 3' &) ; done; echo ok",
    );
    expect(result.code).toBe(0);
    await until(
      () => childrenOf(relay.agentPid).length === 0,
      () => `children ${childrenOf(relay.agentPid)}`,
    );
  });
});

describe("exec with options", () => {
  const exec3 = (header: string, command: string) => {
    const text = `${header}\n${command}`;
    return `EXEC3 ${Buffer.byteLength(text)}\n${text}`;
  };

  it("sets environment and directory", async () => {
    const request = exec3("env A=1 2\nenv B=x=y\ncwd /usr\n", 'echo "$A|$B|$PWD"; echo $HOME');
    expect(parseFrames(await relay.ask(1978, request)).output).toBe("1 2|x=y|/usr\n/root\n");
  });

  it("says which directory is not there", async () => {
    const result = parseFrames(await relay.ask(1978, exec3("cwd /nothing\n", "echo never")));
    expect(result).toMatchObject({
      code: 127,
      stderr: Buffer.from("machinen: /nothing: No such file or directory\n"),
    });
  });

  it.runIf(process.getuid?.() === 0)("becomes another user", async () => {
    const request = exec3("user nobody\n", 'id -un; echo "$USER"');
    expect(parseFrames(await relay.ask(1978, request)).output).toBe("nobody\nnobody\n");
    const numeric = parseFrames(await relay.ask(1978, exec3("user 12:34\n", "id -u; id -g")));
    expect(numeric.output).toBe("12\n34\n");
  });

  it("refuses what it does not know", async () => {
    expect(
      parseFrames(await relay.ask(1978, exec3("user no-such-user\n", "true"))).refusal,
    ).toMatch(/^NO_USER /);
    expect(parseFrames(await relay.ask(1978, exec3("colour red\n", "true"))).refusal).toMatch(
      /^BAD_REQUEST /,
    );
    expect(parseFrames(await relay.ask(1978, "EXEC3 5\nenv A")).refusal).toMatch(/^BAD_REQUEST /);
  });

  it("starts a command with an id once", async () => {
    const file = join(relay.directory, "once");
    const ask = (id: string) => relay.ask(1978, exec3(`id ${id}\n`, `echo x >>${file}`));
    expect(parseFrames(await ask("abc123")).code).toBe(0);
    expect(parseFrames(await ask("abc123")).refusal).toMatch(/^ALREADY_STARTED /);
    expect(parseFrames(await ask("abc124")).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("x\nx\n");
    for (const id of ["", "a b", "-", "x".repeat(33)])
      expect(parseFrames(await ask(id)).refusal).toMatch(/^BAD_REQUEST /);
    // Only the latest are remembered: what is forgotten may be started again, nothing else breaks.
    for (let i = 0; i < 256; i += 1) await relay.ask(1978, exec3(`id n${i}\n`, "true"));
    expect(parseFrames(await ask("abc123")).code).toBe(0);
  });

  it("feeds standard input until it is closed", async () => {
    const connection = relay.open(1978);
    connection.write(exec3("stdin 1\n", "wc -c; echo end"));
    const block = "z".repeat(50_000);
    for (let i = 0; i < 40; i++) connection.type(block);
    connection.write("C\n");
    await connection.ended();
    expect(connection.result.output).toMatch(/^\s*2000000\nend\n$/);
  });

  it("closes standard input when the client half-closes, and drops what nobody reads", async () => {
    const connection = relay.open(1978);
    connection.write(exec3("stdin 1\n", "exec 0<&-; sleep 0.1; echo closed"));
    connection.type("z".repeat(60_000));
    connection.type("z".repeat(60_000));
    connection.socket.end();
    await connection.ended();
    expect(connection.result).toMatchObject({ code: 0, output: "closed\n" });
  });

  it("sends signals by number and by name", async () => {
    for (const [name, code] of [
      ["15", 143],
      ["INT", 130],
      ["SIGKILL", 137],
    ] as const) {
      const connection = relay.open(1978);
      // A shell that is just starting a child keeps an interrupt to itself: be the child.
      connection.write("EXEC echo up; exec sleep 1000\n");
      await connection.shows("up");
      connection.write(`S ${name}\n`);
      await connection.ended();
      expect(connection.result.code).toBe(code);
    }
  });
});
