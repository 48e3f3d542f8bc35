import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { build } from "esbuild";
import * as pty from "node-pty";
import { describe, expect, it, vi } from "vitest";
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
    expect(stream.writableLength).toBe("frame 1".length);
    state = 42;
    await stream.next();
    await stream.next();
    expect(stream.taken).toEqual(["frame 1", "frame 42"]);
    expect(stream.writableLength).toBe(0);
  });

  it("writes nothing for an empty frame", () => {
    const stream = new StalledStream();
    const output = new OuterOutput(stream, { paint: () => Buffer.alloc(0) });
    output.request();
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
    const stream = new StalledStream();
    const output = new OuterOutput(stream, { paint: () => Buffer.from("frame") });
    output.request();
    await output.finish("bye", 20);
    expect(stream.taken).toEqual([]);
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
    output.resume("back");
    output.request();
    await turn();
    expect(errors).toEqual(["EIO"]);
  });
});

describe("a terminal that does not read", () => {
  it("stops no timer of the program, which still ends by itself", async () => {
    const module = new URL("../../../src/ui/screen/output.ts", import.meta.url).pathname;
    const directory = mkdtempSync(join(tmpdir(), "output-"));
    const ticksFile = join(directory, "ticks");
    const built = await build({
      stdin: { contents: stalledProgram(module), resolveDir: directory },
      bundle: true,
      platform: "node",
      format: "cjs",
      write: false,
    });
    const program = join(directory, "program.cjs");
    writeFileSync(program, built.outputFiles[0]?.text ?? "");
    const child = pty.spawn(process.execPath, [program, ticksFile], { cols: 80, rows: 24 });
    child.pause();
    const ticks = () => (existsSync(ticksFile) ? readFileSync(ticksFile, "utf8") : "");
    try {
      await vi.waitFor(() => expect(ticks()).toBe("1 2 3 4 5 end "), 30_000);
    } finally {
      child.kill("SIGKILL");
      rmSync(directory, { recursive: true });
    }
  }, 60_000);
});

// Frames far larger than a terminal's buffer; a blocking write of the first would never return.
function stalledProgram(module: string): string {
  return `
    import { appendFileSync } from "node:fs";
    import { OuterOutput } from ${JSON.stringify(module)};
    const tell = (word) => appendFileSync(process.argv[2], word + " ");
    const output = new OuterOutput(process.stdout, { paint: () => Buffer.alloc(4 << 20, "x") });
    let ticks = 0;
    setInterval(() => {
      output.request();
      tell(++ticks);
      if (ticks < 5) return;
      output.finishSync("bye", 50);
      tell("end");
      process.exit();
    }, 5);`;
}
