import { spawn } from "node:child_process";
import { Writable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { OuterOutput } from "../../../src/ui/screen/output.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A stream whose reader takes a chunk only when told to. */
class StalledStream extends Writable {
  taken: string[] = [];
  private take: (() => void) | null = null;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    const text = chunk.toString();
    this.take = () => {
      this.taken.push(text);
      done();
    };
  }

  async next(): Promise<void> {
    const take = this.take;
    this.take = null;
    take?.();
    await turn();
  }
}

describe("OuterOutput", () => {
  it("keeps one frame in flight and then shows the newest state", async () => {
    const stream = new StalledStream();
    let state = 0;
    const output = new OuterOutput(stream, { paint: () => Buffer.from(`frame ${state}`) });
    for (state = 1; state <= 100; state++) output.request();
    expect(output.busy).toBe(true);
    expect(stream.writableLength).toBe("frame 1".length);
    state = 42;
    await stream.next();
    await stream.next();
    expect(stream.taken).toEqual(["frame 1", "frame 42"]);
    expect(output.busy).toBe(false);
  });

  it("writes nothing for an empty frame", () => {
    const stream = new StalledStream();
    const output = new OuterOutput(stream, { paint: () => Buffer.alloc(0) });
    output.request();
    expect(output.busy).toBe(false);
    expect(stream.writableLength).toBe(0);
  });

  it("sends the last bytes after the frame in flight, and no frame after them", async () => {
    const stream = new StalledStream();
    const output = new OuterOutput(stream, { paint: () => Buffer.from("frame") });
    output.request();
    output.request();
    const finished = output.finish("bye", 5000);
    await stream.next();
    await stream.next();
    await finished;
    output.request();
    expect(stream.taken).toEqual(["frame", "bye"]);
    output.resume("back");
    output.request();
    await stream.next();
    await stream.next();
    expect(stream.taken).toEqual(["frame", "bye", "back", "frame"]);
  });

  it("does not wait for ever for a terminal that never reads", async () => {
    const output = new OuterOutput(new StalledStream(), { paint: () => Buffer.from("frame") });
    output.request();
    await output.finish("bye", 20);
    expect(output.busy).toBe(true);
  });

  it("tells once that the terminal is gone, and stays quiet", async () => {
    const errors: string[] = [];
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EIO")) });
    const output = new OuterOutput(stream, {
      paint: () => Buffer.from("frame"),
      onError: (error) => errors.push(error.message),
    });
    output.request();
    await turn();
    output.request();
    output.write("more");
    await output.finish("bye");
    expect(errors).toEqual(["EIO"]);
  });
});

describe("a stalled reader of standard output", () => {
  const children: ReturnType<typeof spawn>[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  it("stops no timer of the program, which still ends cleanly", async () => {
    const module = new URL("../../../src/ui/screen/output.ts", import.meta.url).pathname;
    const { build } = await import("esbuild");
    const program = `
      import { OuterOutput } from ${JSON.stringify(module)};
      const output = new OuterOutput(process.stdout, { paint: () => Buffer.alloc(4 << 20, "x") });
      let ticks = 0;
      setInterval(() => {
        output.request();
        process.stderr.write("tick " + ++ticks + "\\n");
        if (ticks === 5) { output.finishSync("bye", 50); process.exit(7); }
      }, 5);`;
    const built = await build({
      stdin: { contents: program, resolveDir: "." },
      bundle: true,
      platform: "node",
      format: "cjs",
      write: false,
    });
    const code = built.outputFiles[0]?.text ?? "";
    // Nobody reads its standard output: after one pipe buffer every write would block.
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    let errors = "";
    child.stderr?.on("data", (data) => {
      errors += data;
    });
    const status = await new Promise((resolve) => child.on("exit", resolve));
    expect(errors).toContain("tick 5");
    expect(status).toBe(7);
  }, 20_000);
});
