import { describe, expect, it } from "vitest";
import type { InputEvent } from "../../../src/ui/input/events.ts";
import { InputParser } from "../../../src/ui/input/parser.ts";

function parse(...chunks: (string | number[])[]): InputEvent[] {
  const parser = new InputParser();
  return chunks.flatMap((chunk) =>
    parser.feed(typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk)),
  );
}

function names(events: InputEvent[]): string[] {
  return events.map((event) => (event.type === "key" ? event.key : event.type));
}

/** The bytes an event stands for; mouse and focus reports are re-encoded by whoever needs them. */
function rawOf(events: InputEvent[]): Buffer {
  return Buffer.concat(events.map((event) => ("raw" in event ? event.raw : Buffer.alloc(0))));
}

describe("InputParser", () => {
  it.each([
    ["a", ["a"]],
    ["A?", ["A", "?"]],
    ["\r", ["enter"]],
    [" ", ["space"]],
    ["\x7f", ["backspace"]],
    ["\x03\x1d\x1d", ["ctrl-c", "ctrl-]", "ctrl-]"]],
    ["\x1b[A\x1b[B\x1bOC\x1b[D", ["up", "down", "right", "left"]],
    ["\x1b[1;5A\x1b[1;2D\x1b[5;3~", ["ctrl-up", "shift-left", "alt-pageup"]],
    ["\x1b[H\x1b[4~\x1bOP\x1b[15~\x1b[Z", ["home", "end", "f1", "f5", "shift-tab"]],
    ["\x1b[[B", ["f2"]],
    ["\x1bx\x1bé", ["alt-x", "alt-é"]],
    ["é漢😀", ["é", "漢", "😀"]],
    ["\x1b[I\x1b[O", ["focus", "focus"]],
    ["\x1b[99;99x", ["unknown"]],
    ["\x1b[97u\x1b[97;2u\x1b[97;5u\x1b[97;6u", ["a", "A", "ctrl-a", "ctrl-shift-a"]],
    ["\x1b[93;5u\x1b[13u\x1b[27;3u\x1b[57414u", ["ctrl-]", "enter", "alt-escape", "enter"]],
    ["\x1b[97:65:113;5:1u\x1b[1;5:2A\x1b[3;1:3~", ["ctrl-a", "ctrl-up", "delete"]],
    ["\x1b[0u\x1b[9999999u\x1b[:u", ["unknown", "unknown", "unknown"]],
  ])("names %j", (bytes, expected) => {
    expect(names(parse(bytes))).toEqual(expected);
  });

  it("tells repeats, releases and lone modifiers of the kitty protocol apart", () => {
    expect(parse("\x1b[97;1:2u\x1b[97;1:3u\x1b[57442;5u")).toMatchObject([
      { key: "a", action: "repeat" },
      { key: "a", action: "release" },
      { modifier: true },
    ]);
  });

  it("knows the terminal's answers from keys", () => {
    const answers = "\x1b[?5u\x1b]11;rgb:1e1e/2020/ff00\x1b\\\x1b]10;#fff\x07\x1b[?62;4c";
    expect(parse(answers)).toEqual([
      { type: "report", report: { about: "keyboard", flags: 5 } },
      { type: "report", report: { about: "colour", slot: 11, rgb: 0x1e20fe } },
      { type: "report", report: { about: "colour", slot: 10, rgb: 0xffffff } },
      { type: "report", report: { about: "attributes" } },
    ]);
    expect(names(parse("\x1b]11;nonsense\x07\x1b]52;c;aGk=\x07"))).toEqual(["unknown", "unknown"]);
  });

  it("keeps the bytes of every key", () => {
    const [up] = parse("\x1b[1;5A");
    expect(up).toMatchObject({ type: "key", raw: Buffer.from("\x1b[1;5A") });
  });

  it("puts characters together across chunks", () => {
    const bytes = Buffer.from("漢\x1b[A");
    const events = [...bytes].flatMap((_, index, all) =>
      index === 0 ? parse(...all.map((b) => [b])) : [],
    );
    expect(names(events)).toEqual(["漢", "up"]);
  });

  it("holds a lone ESC until it is flushed", () => {
    const parser = new InputParser();
    expect(parser.feed(Buffer.from("\x1b"))).toEqual([]);
    expect(parser.pending).toBe(true);
    expect(names(parser.flush())).toEqual(["escape"]);
    expect(parser.pending).toBe(false);
    expect(names(parse("\x1b\x1b[A"))).toEqual(["escape", "up"]);
  });

  it("reads mouse reports", () => {
    expect(parse("\x1b[<0;5;7M\x1b[<0;5;7m\x1b[<65;1;1M\x1b[<34;2;3M\x1b[<20;1;1M")).toMatchObject([
      { type: "mouse", action: "press", button: "left", x: 4, y: 6 },
      { type: "mouse", action: "release", button: "left" },
      { type: "mouse", action: "press", button: "wheel-down", x: 0, y: 0 },
      { type: "mouse", action: "move", button: "right" },
      { type: "mouse", action: "press", button: "left", shift: true, ctrl: true },
    ]);
    expect(parse("\x1b[M !!")).toMatchObject([{ type: "mouse", action: "press", x: 0, y: 0 }]);
  });

  it("keeps a paste apart from keys, wherever it is cut", () => {
    const text = "one\ntwo \x1b[A \x1b[201 three";
    const bytes = Buffer.from(`x\x1b[200~${text}\x1b[201~y`);
    for (let cut = 1; cut < bytes.length; cut++) {
      const parser = new InputParser();
      const events = [...parser.feed(bytes.subarray(0, cut)), ...parser.feed(bytes.subarray(cut))];
      const pasted = events.flatMap((event) =>
        event.type === "paste" && event.part === "data" ? [event.raw.toString()] : [],
      );
      expect(pasted.join("")).toBe(text);
      expect(names(events.filter((event) => event.type === "key"))).toEqual(["x", "y"]);
    }
  });

  it("survives any bytes, loses none of them and holds back little", () => {
    const alphabet = [
      0x1b, 0x5b, 0x4f, 0x3c, 0x3b, 0x4d, 0x6d, 0x7e, 0x30, 0x32, 0x5d, 0x50, 0x07, 0xe6, 0x80,
      0xff, 0x1d,
    ];
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(
        Array.from({ length: 1 + random(60) }, () =>
          random(3) === 0 ? random(256) : alphabet[random(alphabet.length)]!,
        ),
      );
      const parser = new InputParser();
      const events: InputEvent[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + random(7);
        events.push(...parser.feed(bytes.subarray(at, at + size)));
        at += size;
      }
      events.push(...parser.flush());
      expect(parser.pending).toBe(false);
      if (events.some(({ type }) => ["mouse", "focus", "report"].includes(type))) continue;
      if (bytes.includes("\x1b[M")) continue;
      expect(rawOf(events).equals(bytes)).toBe(true);
    }
  });

  it("hands on a sequence that never ends", () => {
    const parser = new InputParser();
    const events = parser.feed(Buffer.from(`\x1b]${"a".repeat(100_000)}`));
    expect(events.length).toBeGreaterThan(0);
    expect(rawOf([...events, ...parser.flush()]).length).toBe(100_002);
  });
});
