import { afterEach, describe, expect, it, vi } from "vitest";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { open } from "./open-pane.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("replay", () => {
  it("draws at the recorded size, then at the pane's", () => {
    const { pane, screen } = open({ cols: 10 });
    const bytes = Buffer.from("\x1b[1;15Hright\x1b[2;1Hleft");
    pane.replay({ cols: 20, rows: 5, bytes, again: false });
    expect([pane.cols, pane.rows]).toEqual([10, 5]);
    expect(screen().replaceAll("\n", "")).toContain("right");
    expect(screen()).toContain("left");
  });

  it("starts blank when it comes again, even from the middle of a sequence", () => {
    const { pane, screen } = open();
    pane.write("junk\x1b[?1049h\x1b[31mmore\x1b[?25l\x1b]2;unfin");
    const bytes = Buffer.from("fresh");
    pane.replay({ cols: 20, rows: 5, bytes, again: true });
    expect(screen()).toBe("fresh");
    expect(pane.modes.alternateScreen).toBe(false);
    expect(pane.cursor).toEqual({ x: 5, y: 0, visible: true, shape: "block", blink: false });
  });

  it("keeps the scroll region of a program that another client's size was made for", () => {
    const { pane, screen } = open({ cols: 20, rows: 6 });
    const bytes = Buffer.from("top\x1b[5;1Hstatus\x1b[2;4r\x1b[4;1Hlast");
    pane.replay({ cols: 30, rows: 5, bytes, again: false });
    pane.write("\nnext");
    expect(
      screen()
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual(["top", "", "last", "next", "status"]);
  });

  it("gives the whole screen to a program whose region does not fit any more", () => {
    const { pane } = open({ cols: 20, rows: 3 });
    pane.replay({ cols: 20, rows: 5, bytes: Buffer.from("\x1b[2;5r"), again: false });
    pane.write("\x1b[3;1Ha\r\nb");
    expect(pane.historyLines).toBeGreaterThan(0);
  });

  it("takes any size a guest may claim", () => {
    const { pane } = open();
    for (const size of [0, -5, 1e9, Number.NaN]) {
      pane.replay({ cols: size, rows: size, bytes: Buffer.from("x"), again: true });
    }
    expect([pane.cols, pane.rows]).toEqual([20, 5]);
  });
});

describe("copyTo", () => {
  it("copies only when something changed", () => {
    const { pane, grid } = open();
    pane.write("hello");
    expect(pane.copyTo(grid, 0, 0, 20, 5)).toBe(true);
    const versions = [...grid.rowVersions];
    expect(pane.copyTo(grid, 0, 0, 20, 5)).toBe(false);
    expect([...grid.rowVersions]).toEqual(versions);
    pane.write("\r\nworld");
    expect(pane.copyTo(grid, 0, 0, 20, 5)).toBe(true);
    expect(grid.rowText(1)).toBe("world");
  });

  it("repairs rows somebody drew over", () => {
    const { pane, grid } = open();
    pane.write("hello");
    pane.copyTo(grid, 0, 0, 20, 5);
    grid.drawText(0, 0, "dialog");
    pane.copyTo(grid, 0, 0, 20, 5);
    expect(grid.rowText(0)).toBe("hello");
  });

  it("shows scrollback, clamped, and none in the alternate screen", () => {
    const { pane, screen } = open({ scrollback: 3 });
    pane.write(Array.from({ length: 20 }, (_, i) => `line ${i}`).join("\r\n"));
    expect(pane.historyLines).toBe(3);
    expect(screen()).toMatch(/^line 15\n/);
    expect(screen(2)).toMatch(/^line 13\n/);
    expect(screen(99)).toMatch(/^line 12\n/);
    pane.write("\x1b[?1049h");
    expect(pane.historyLines).toBe(0);
  });

  it("cuts wide characters at the pane's edge and blanks what the terminal does not cover", () => {
    const { pane } = open({ cols: 6, rows: 2 });
    pane.write("a漢字");
    const grid = new Grid(12, 4);
    grid.fill(0, 0, 12, 4, { bg: 0x1000001 });
    pane.copyTo(grid, 1, 1, 4, 3);
    expect(grid.rowText(1)).toBe(" a漢");
    expect(grid.cells[(3 * 12 + 2) * 4 + 2]).toBe(0);
    expect(grid.cells[(3 * 12 + 5) * 4 + 2]).toBe(0x1000001);
  });

  it("drops links that are not to be shown", () => {
    const { pane, grid } = open();
    pane.write("\x1b]8;;https://a.b/\x07A\x1b]8;;\x07\x1b]8;;file:///etc/passwd\x07B");
    pane.copyTo(grid, 0, 0, 20, 5);
    expect(grid.linkTable.text(grid.links[0] ?? 0)).toBe("https://a.b/");
    expect(grid.links[1]).toBe(0);
  });
});

describe("colours of its own", () => {
  const words = (grid: Grid, cell: number) => [...grid.cells.subarray(cell * 4 + 1, cell * 4 + 3)];

  it("draws redefined ones as RGB until they are reset", () => {
    const { pane, grid } = open();
    pane.write("\x1b]4;1;#010203\x07\x1b]11;#040506\x07\x1b[31mA\x1b[m");
    pane.copyTo(grid, 0, 0, 20, 5);
    expect(words(grid, 0)).toEqual([0x3010203, 0x3040506]);
    expect(words(grid, 19)).toEqual([0, 0x3040506]);
    pane.write("\x1b]104\x07\x1b]111\x07");
    pane.copyTo(grid, 0, 0, 20, 5);
    expect(words(grid, 0)).toEqual([0x1000001, 0]);
  });
});

describe("what a program asks of the desktop", () => {
  const asked = (text: string) => {
    const onRequest = vi.fn();
    open({ onRequest }).pane.write(text);
    return onRequest.mock.calls.map(([request]) => request);
  };

  it("is told: clipboard texts and notifications", () => {
    expect(asked("\x1b]52;c;aGFsbG8=\x07")).toEqual([{ kind: "clipboard", text: "hallo" }]);
    expect(asked("\x1b]9;done\u202e\x07")).toEqual([{ kind: "notify", title: "", body: "done" }]);
    expect(asked("\x1b]777;notify;a;b;c\x07")).toEqual([
      { kind: "notify", title: "a", body: "b;c" },
    ]);
  });

  it("is not told: queries, nonsense, progress bars, what is too large, what is old", () => {
    for (const text of ["52;c;?", "52;c;?!", "52;c", "9;4;1;50", "777;x;a;b"]) {
      expect(asked(`\x1b]${text}\x07`), text).toEqual([]);
    }
    expect(asked(`\x1b]52;c;${"AAAA".repeat(400_000)}\x07`)).toEqual([]);
    const onRequest = vi.fn();
    const bytes = Buffer.from("\x1b]52;c;aGk=\x07");
    open({ onRequest }).pane.replay({ cols: 20, rows: 5, bytes, again: false });
    expect(onRequest).not.toHaveBeenCalled();
  });
});

describe("a shell's marks", () => {
  it("tell whether it waits, what ended how, and where the prompts stand", () => {
    const { pane } = open({ scrollback: 4 });
    expect(pane.shell).toEqual({ at: "unknown", finished: 0 });
    const prompt = (code: string) => `\x1b]133;D${code}\x07\x1b]133;A\x07$ \x1b]133;B\x07`;
    pane.write(prompt(""));
    expect(pane.shell).toEqual({ at: "prompt", finished: 0 });
    pane.write("make\r\n\x1b]133;C\x07");
    expect(pane.shell.at).toBe("command");
    pane.write(`error\r\n${prompt(";2")}`);
    expect(pane.shell).toEqual({ at: "prompt", exitCode: 2, finished: 1 });
    expect(pane.snapshot().prompts).toEqual([0, 2]);
    pane.write("\r\n".repeat(7));
    expect(pane.snapshot().prompts).toEqual([1]);
  });

  it("take a new line for the start of a command where the shell marks prompts only", () => {
    const { pane } = open();
    const prompt = "\x1b]133;D;4\x07\x1b]133;A\x07# ";
    pane.write(prompt);
    expect(pane.shell).toEqual({ at: "prompt", finished: 0 });
    pane.write("make\r\n");
    expect(pane.shell.at).toBe("command");
    pane.write(prompt);
    expect(pane.shell).toEqual({ at: "prompt", exitCode: 4, finished: 1 });
  });
});

describe("synchronized output", () => {
  it("holds the picture until the program ends its frame", () => {
    const { pane, screen } = open();
    pane.write("before");
    expect(screen()).toBe("before");
    const version = pane.version;
    pane.write("\x1b[?2026h\x1b[2J\x1b[Hhalf");
    expect(pane.version).toBe(version);
    expect(screen()).toBe("before");
    pane.write(" and whole\x1b[?2026l");
    expect(pane.version).not.toBe(version);
    expect(screen()).toBe("half and whole");
  });

  it("stops holding after a while, and tells", () => {
    vi.useFakeTimers();
    const onHoldTimeout = vi.fn();
    const { pane, screen } = open({ onHoldTimeout });
    pane.write("\x1b[?2026hstuck");
    const version = pane.version;
    vi.advanceTimersByTime(1000);
    expect(onHoldTimeout).toHaveBeenCalledTimes(1);
    expect(pane.version).not.toBe(version);
    expect(screen()).toBe("stuck");
    pane.write("!");
    expect(screen()).toBe("stuck!");
  });
});

describe("state", () => {
  it("knows the modes a program sets", () => {
    const { pane } = open();
    expect(pane.modes.mouse).toBe("none");
    pane.write("\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[?1003h\x1b[?1006h\x1b[?1049h");
    expect(pane.modes).toEqual({
      applicationCursorKeys: true,
      applicationKeypad: true,
      bracketedPaste: true,
      focusEvents: true,
      mouse: "any",
      mouseEncoding: "sgr",
      alternateScreen: true,
    });
  });

  it("follows the cursor's shape and visibility, and keeps it inside", () => {
    const { pane } = open();
    pane.write("\x1b[4 q\x1b[?25l");
    expect(pane.cursor).toMatchObject({ shape: "underline", blink: false, visible: false });
    pane.write("\x1b[?25h\x1b[0 q");
    expect(pane.cursor).toMatchObject({ shape: "block", visible: true });
    pane.write("x".repeat(20));
    expect(pane.cursor.x).toBe(19);
  });

  it("passes titles on, cleaned, and the bell", () => {
    const onTitle = vi.fn();
    const onBell = vi.fn();
    const { pane } = open({ onTitle, onBell });
    pane.write(`\x1b]2;a\u202eb${"c".repeat(9999)}\x07\x07`);
    expect(pane.title).toMatch(/^abc+$/);
    expect(pane.title.length).toBeLessThanOrEqual(256);
    expect(onTitle).toHaveBeenCalledWith(pane.title);
    expect(onBell).toHaveBeenCalledTimes(1);
  });

  it("survives a callback that throws", () => {
    const { pane, screen } = open({
      onReply: () => {
        throw new Error("no reader");
      },
    });
    expect(() => pane.write("a\x1b[cb")).toThrow("no reader");
    pane.write("c");
    expect(screen()).toBe("abc");
  });
});
