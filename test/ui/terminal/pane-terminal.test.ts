import { afterEach, describe, expect, it, vi } from "vitest";
import { Grid } from "../../../src/ui/screen/grid.ts";
import { PaneTerminal, type PaneTerminalOptions } from "../../../src/ui/terminal/pane-terminal.ts";

const text = (bytes: Uint8Array | null) =>
  bytes === null ? null : Buffer.from(bytes).toString("latin1");

function open(options: Partial<PaneTerminalOptions> = {}) {
  const replies: string[] = [];
  const pane = new PaneTerminal({
    cols: 20,
    rows: 5,
    onReply: (bytes) => replies.push(text(bytes) ?? ""),
    ...options,
  });
  const grid = new Grid(pane.cols, pane.rows);
  const screen = (scrollOffset = 0) => {
    pane.copyTo(grid, 0, 0, grid.cols, grid.rows, { scrollOffset });
    return Array.from({ length: grid.rows }, (_, y) => grid.rowText(y))
      .join("\n")
      .trimEnd();
  };
  return { pane, replies, grid, screen };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("queries", () => {
  const answers: [what: string, query: string, answer: string][] = [
    ["DA1", "\x1b[c", "\x1b[?1;2c"],
    ["DA2", "\x1b[>c", "\x1b[>0;276;0c"],
    ["CPR", "\x1b[3;4H\x1b[6n", "\x1b[3;4R"],
    ["DECRQM", "\x1b[?2026$p", "\x1b[?2026;2$y"],
    ["XTVERSION", "\x1b[>q", "\x1bP>|machinen\x1b\\"],
    ["the size in cells", "\x1b[18t", "\x1b[8;5;20t"],
    ["the size in pixels", "\x1b[14t", "\x1b[4;80;160t"],
    ["CPR in origin mode", "\x1b[2;4r\x1b[?6h\x1b[2;3H\x1b[6n", "\x1b[2;3R"],
    ["CPR with a wrap pending", "0123456789abcdefghij\x1b[6n", "\x1b[1;20R"],
    ["DECXCPR", "\x1b[2;2H\x1b[?6n", "\x1b[?2;2R"],
    ["DA3", "\x1b[=c", "\x1bP!|00000000\x1b\\"],
    ["DSR", "\x1b[5n", "\x1b[0n"],
    ["the kitty keyboard flags", "\x1b[>5u\x1b[?u", "\x1b[?5u"],
    ["XTGETTCAP", "\x1bP+q436f\x1b\\", "\x1bP1+r436f=323536\x1b\\"],
    ["XTGETTCAP of what it has not", "\x1bP+q4e4f\x1b\\", "\x1bP0+r4e4f\x1b\\"],
    ["DECRQSS of the margins", "\x1b[2;4r\x1bP$qr\x1b\\", "\x1bP1$r2;4r\x1b\\"],
    ["DECRQSS of the cursor", "\x1b[5 q\x1bP$q q\x1b\\", "\x1bP1$r5 q\x1b\\"],
    [
      "DECRQSS of the attributes",
      "\x1b[1;4:3;31;48;2;1;2;3;58:5:9m\x1bP$qm\x1b\\",
      "\x1bP1$r0;1;4;31;48;2;1;2;3;4:3;58:5:9m\x1b\\",
    ],
    ["a palette colour", "\x1b]4;1;?\x1b\\", "\x1b]4;1;rgb:cdcd/0000/0000\x1b\\"],
    [
      "a palette colour it has set",
      "\x1b]4;1;#123456;1;?\x07",
      "\x1b]4;1;rgb:1212/3434/5656\x1b\\",
    ],
    [
      "a background it has set",
      "\x1b]11;rgb:f/8/0\x07\x1b]11;?\x07",
      "\x1b]11;rgb:ffff/8888/0000\x1b\\",
    ],
    ["whether the background is light", "\x1b[?996n", "\x1b[?997;2n"],
    ["the text colour", "\x1b]10;?\x07", "\x1b]10;rgb:0101/0202/0303\x1b\\"],
    ["the background", "\x1b]11;?\x1b\\", "\x1b]11;rgb:f0f0/f0f0/c0c0\x1b\\"],
  ];
  for (const [what, query, answer] of answers) {
    it(`answers ${what}`, () => {
      const { pane, replies } = open({
        colours: () => ({ foreground: 0x010203, background: 0xf0f0c0 }),
        kittyKeyboard: () => true,
      });
      pane.write(query);
      expect(replies).toEqual([answer]);
    });
  }

  it("answers several colours asked at once", () => {
    const { pane, replies } = open();
    pane.write("\x1b]10;?;?\x07");
    expect(replies.join("")).toMatch(/^\x1b\]10;rgb:[^\x1b]+\x1b\\\x1b\]11;rgb:[^\x1b]+\x1b\\$/);
  });

  it("keeps quiet about the kitty keyboard when the outer terminal cannot", () => {
    const { pane, replies } = open();
    pane.write("\x1b[>1u\x1b[?u");
    expect(replies).toEqual([]);
  });

  it("never tells titles or the clipboard, and bounds the answers of one write", () => {
    const { pane, replies } = open();
    pane.write("\x1b]2;rm -rf\x07\x1b[21t\x1b[20t\x1b]52;c;?\x07\x1b]52;c;aGk=\x07\x1b]9;hi\x07");
    expect(replies).toEqual([]);
    pane.write("\x1b[c".repeat(100_000));
    expect(replies.length).toBe(1);
    expect(replies[0]?.length).toBeLessThanOrEqual(4096);
  });

  it("does not answer what it replays, and answers again after", () => {
    const { pane, replies, screen } = open();
    const bytes = Buffer.from("\x1b[c\x1b[6n\x1b[>qold");
    pane.replay({ cols: 30, rows: 9, bytes, again: false });
    expect(replies).toEqual([]);
    expect(screen()).toBe("old");
    pane.write("\x1b[c");
    expect(replies).toEqual(["\x1b[?1;2c"]);
  });
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
