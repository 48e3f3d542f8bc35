import { describe, expect, it } from "vitest";
import { coreOf, createTerminal, guardFaults, writeSync } from "../../../src/ui/terminal/xterm.ts";

/** What the adapter relies on, looked at directly: another xterm version must fail here first. */
describe("the internals of @xterm/headless", () => {
  it("parse in the call that writes", () => {
    const terminal = createTerminal(20, 5, 10);
    for (const text of ["one", "two", "x".repeat(400_000), "\r\nthree"]) {
      writeSync(terminal, text);
      writeSync(terminal, new Uint8Array(0));
    }
    const buffer = terminal.buffer.active;
    expect(buffer.getLine(buffer.baseY + buffer.cursorY)?.translateToString(true)).toBe("three");
  });

  it("lay a cell out in three words with these bits", () => {
    const terminal = createTerminal(10, 2, 0);
    writeSync(terminal, "\x1b[1;2;3;5;7;8;9;53;38;2;1;2;3;48;5;200mA\x1b[m漢e\u0301\x1b[97mB");
    const line = coreOf(terminal).buffers.active.lines.get(0);
    const word = (i: number) => line?._data[i];
    expect(line?._data).toBeInstanceOf(Uint32Array);
    expect(line?.length).toBe(10);
    expect(word(0)).toBe(65 | (1 << 22));
    expect(word(1)).toBe((0x3000000 | 0x010203 | 0xec000000) >>> 0);
    expect(word(2)).toBe((0x2000000 | 200 | 0x4c000000) >>> 0);
    expect(word(3)).toBe(0x6f22 | (2 << 22));
    expect(word(6)).toBe(0);
    expect((word(9) ?? 0) & ~0x1fffff).toBe(0x200000 | (1 << 22));
    expect(line?._combined[3]).toBe("e\u0301");
    expect(word(13)).toBe(0x1000000 | 15);
  });

  it("keep underline shapes, colours and links beside the cell", () => {
    const terminal = createTerminal(10, 2, 0);
    writeSync(terminal, "\x1b[4:3;58:2::1:2:3mA\x1b[59mB\x1b[m\x1b]8;;https://a.b/\x07C");
    const core = coreOf(terminal);
    const line = core.buffers.active.lines.get(0);
    expect(line?._data[1]).toBe(0x10000000);
    expect(line?._data[2]).toBe(0x10000000);
    expect(line?._extendedAttrs[0]?._ext).toBe((3 << 26) | 0x3000000 | 0x010203);
    expect(line?._extendedAttrs[1]?._ext).toBe((3 << 26) | 0x3ffffff);
    const id = line?._extendedAttrs[2]?._urlId ?? 0;
    expect(core._oscLinkService.getLinkData(id)?.uri).toBe("https://a.b/");
  });

  it("tell the cursor's look and place, and the buffer in use", () => {
    const terminal = createTerminal(10, 3, 5);
    const core = coreOf(terminal);
    expect(core.coreService.isCursorHidden).toBe(false);
    writeSync(terminal, "\x1b[?25l\x1b[5 q\x1b[2;4H");
    expect(core.coreService.isCursorHidden).toBe(true);
    expect(core.coreService.decPrivateModes.cursorStyle).toBe("bar");
    expect(core.coreService.decPrivateModes.cursorBlink).toBe(true);
    const { x, y, ybase } = core.buffers.active;
    expect([x, y, ybase]).toEqual([3, 1, 0]);
    writeSync(terminal, "\r\n\n\n\n");
    expect(core.buffers.active.ybase).toBe(3);
    expect(core.buffers.active).not.toBe(core.buffers.alt);
    writeSync(terminal, "\x1b[?1049h");
    expect(core.buffers.active).toBe(core.buffers.alt);
  });

  it("tell mouse encoding and synchronized output", () => {
    const terminal = createTerminal(10, 3, 5);
    const core = coreOf(terminal);
    expect(core.coreMouseService.activeEncoding).toBe("DEFAULT");
    writeSync(terminal, "\x1b[?1006h\x1b[?2026h");
    expect(core.coreMouseService.activeEncoding).toBe("SGR");
    expect(core.coreService.decPrivateModes.synchronizedOutput).toBe(true);
    writeSync(terminal, "\x1b[?1016h\x1b[?2026l");
    expect(core.coreMouseService.activeEncoding).toBe("SGR_PIXELS");
    expect(core.coreService.decPrivateModes.synchronizedOutput).toBe(false);
  });

  it("show the cursor again after a reset", () => {
    const terminal = createTerminal(10, 3, 5);
    guardFaults(terminal);
    writeSync(terminal, "\x1b[?25l\x1bc");
    expect(coreOf(terminal).coreService.isCursorHidden).toBe(false);
  });

  it("erase up to the last cell of a screen without a line below", () => {
    for (const start of ["", "\x1b[?1049h"]) {
      const terminal = createTerminal(4, 2, 10);
      guardFaults(terminal);
      writeSync(terminal, `${start}\x1b[1;1Habcdefgh\x1b[1J\x1b[1;1H+`);
      const line = (y: number) => terminal.buffer.active.getLine(y)?.translateToString(true);
      expect([line(0), line(1)]).toEqual(["+", ""]);
    }
  });

  it("go on after a handler that throws", () => {
    const terminal = createTerminal(10, 2, 10);
    terminal.parser.registerCsiHandler({ final: "y" }, () => {
      throw new Error("fault");
    });
    for (const text of ["a", "b\x1b[ylost", "c", "d"]) writeSync(terminal, text);
    expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("abcd");
  });

  it("take widths and joining from our provider", () => {
    const terminal = createTerminal(10, 3, 5);
    expect(terminal.unicode.activeVersion).toBe("11-bounded");
    writeSync(terminal, "😀e\u0301!");
    expect(terminal.buffer.active.cursorX).toBe(4);
  });
});
