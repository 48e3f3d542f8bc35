import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { ConsoleStream, collect } from "../../../src/runtime/machine/console.ts";
import { Tail } from "../../../src/runtime/tail.ts";

test("a tail keeps the last bytes, across chunks of any size", () => {
  const tail = new Tail(5);
  for (const piece of ["abc", "", "d", "efghijk", "l"]) tail.push(Buffer.from(piece));
  expect(tail.text()).toBe("hijkl");
});

test("collect reads to the end and keeps the tail", async () => {
  expect(await collect(Readable.from([Buffer.from("hello "), Buffer.from("world")]), 5)).toBe(
    "world",
  );
  const empty = new PassThrough().end();
  expect(await collect(empty)).toBe("");
});

test("a console nobody reads keeps flowing and remembers", async () => {
  const source = new PassThrough();
  const stream = new ConsoleStream(source);
  for (let n = 0; n < 100; n++) source.write(Buffer.alloc(64 * 1024, 97));
  source.end("the end");
  await stream.ended;
  expect(stream.tail.bytes().length).toBe(1024 * 1024);
  expect(stream.tail.text().endsWith("the end")).toBe(true);
  expect((await collect(stream)).endsWith("the end")).toBe(true);
});

test("a reader that comes late gets what was said before, then what follows", async () => {
  const source = new PassThrough();
  const stream = new ConsoleStream(source);
  source.write("before ");
  await stream.firstByte;
  const text = collect(stream);
  source.end("after");
  expect(await text).toBe("before after");
});

test("a reader that pauses pauses the source", async () => {
  const source = new PassThrough();
  const stream = new ConsoleStream(source);
  stream.on("data", () => stream.pause());
  source.write(Buffer.alloc(256 * 1024));
  await new Promise((resolve) => setTimeout(resolve, 20));
  source.write(Buffer.alloc(256 * 1024));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(source.isPaused()).toBe(true);
});

test("a tail cut in the middle of a character begins with the next one", () => {
  const tail = new Tail(4);
  tail.push(Buffer.from("x€€"));
  expect(tail.text()).toBe("€");
  const whole = new Tail(4);
  whole.push(Buffer.from("€").subarray(1));
  expect(whole.text()).toBe(Buffer.from("€").subarray(1).toString());
});
