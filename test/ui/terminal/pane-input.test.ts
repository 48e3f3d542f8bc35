import { describe, expect, it } from "vitest";
import { open, text } from "./open-pane.ts";

describe("input", () => {
  const press = { button: "left", action: "press", x: 2, y: 1 } as const;

  it("reports the mouse only as far as the program asked", () => {
    const { pane } = open();
    expect(pane.encodeMouse(press)).toBeNull();
    const report = (mode: number) => {
      pane.write(`\x1bc\x1b[?${mode}h\x1b[?1006h`);
      return [
        press,
        { ...press, action: "release" as const },
        { ...press, button: "wheel-up" as const },
        { ...press, action: "move" as const },
        { ...press, button: "none" as const, action: "move" as const },
      ].map((event) => text(pane.encodeMouse(event)));
    };
    expect(report(9)).toEqual(["\x1b[<0;3;2M", null, null, null, null]);
    expect(report(1000)).toEqual(["\x1b[<0;3;2M", "\x1b[<0;3;2m", "\x1b[<64;3;2M", null, null]);
    expect(report(1002)[3]).toBe("\x1b[<32;3;2M");
    expect(report(1002)[4]).toBeNull();
    expect(report(1003)[4]).toBe("\x1b[<35;3;2M");
  });

  it("speaks every mouse encoding", () => {
    const { pane } = open({ cols: 400 });
    const encode = (mode: string, event = {}) => {
      pane.write(`\x1bc\x1b[?1000h${mode}`);
      return pane.encodeMouse({ ...press, ctrl: true, ...event });
    };
    expect(text(encode(""))).toBe("\x1b[M\x30\x23\x22");
    expect(text(encode("", { action: "release" }))).toBe("\x1b[M\x33\x23\x22");
    expect(encode("", { x: 300 })).toBeNull();
    expect(Buffer.from(encode("\x1b[?1005h", { x: 300 }) ?? []).toString("utf8")).toBe(
      `\x1b[M\x30${String.fromCharCode(333)}\x22`,
    );
    expect(text(encode("\x1b[?1015h", { x: 300 }))).toBe("\x1b[48;301;2M");
    expect(text(encode("\x1b[?1016h"))).toBe("\x1b[<16;17;17M");
    expect(text(encode("\x1b[?1006h", { x: 400 }))).toBeNull();
  });

  it("pastes without letting the text end the paste", () => {
    const { pane } = open();
    expect(text(pane.encodePaste("a\r\nb\nc\x1b[201~"))).toBe("a\rb\rc[201~");
    pane.write("\x1b[?2004h");
    expect(text(pane.encodePaste("x\x1b[201~rm\n"))).toBe("\x1b[200~x[201~rm\r\x1b[201~");
  });

  it("sends focus changes to programs that asked", () => {
    const { pane } = open();
    expect(pane.encodeFocus(true)).toBeNull();
    pane.write("\x1b[?1004h");
    expect(text(pane.encodeFocus(true))).toBe("\x1b[I");
    expect(text(pane.encodeFocus(false))).toBe("\x1b[O");
  });
});

describe("the kitty keyboard protocol", () => {
  it("keeps a stack per screen, bounded, and forgets it at a reset", () => {
    const { pane } = open();
    const after = (text: string) => {
      pane.write(text);
      return pane.keyboardFlags;
    };
    expect(after("\x1b[>1u")).toBe(1);
    expect(after("\x1b[>9u")).toBe(9);
    expect(after("\x1b[=2;2u")).toBe(11);
    expect(after("\x1b[=1;3u")).toBe(10);
    expect(after("\x1b[?1049h")).toBe(0);
    expect(after("\x1b[=31u")).toBe(31);
    expect(after("\x1b[?1049l")).toBe(10);
    expect(after("\x1b[<u")).toBe(1);
    expect(after("\x1b[<7u")).toBe(0);
    expect(after("\x1b[>3u".repeat(1000))).toBe(3);
    expect(after("\x1b[<16u")).toBe(0);
    expect(after("\x1b[>3u\x1bc")).toBe(0);
  });
});
