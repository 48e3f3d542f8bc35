import { describe, expect, it } from "vitest";
import { open } from "./open-pane.ts";

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
