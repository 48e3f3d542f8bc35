import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { SeededRandom } from "../ui/screen/seeded-random.ts";
import { modesOf } from "../ui/support/terminal-state.ts";

const guest = join(packageRoot(), "guest");

beforeAll(() => {
  execFileSync("make", ["-s", "-C", guest, "modes"], { stdio: "pipe" });
}, 600_000);

/** What the agent would tell a fresh terminal in place of each output. */
function restoring(outputs: Buffer[]): Buffer[] {
  const input = outputs.flatMap((output) => [lengthOf(output), output]);
  const answer = execFileSync(join(guest, "build/terminal-modes-test"), {
    input: Buffer.concat(input),
    maxBuffer: 1 << 28,
  });
  const found: Buffer[] = [];
  for (let at = 0; at < answer.length; ) {
    const end = at + 4 + answer.readUInt32LE(at);
    found.push(answer.subarray(at + 4, end));
    at = end;
  }
  return found;
}

function lengthOf(bytes: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(bytes.length);
  return header;
}

const seeds = Array.from({ length: 400 }, (_, i) => i + 1);

describe("a terminal's modes, kept from what was written to it", () => {
  it.each([
    ["nothing", "plain text\r\nand more"],
    ["nothing, after a reset", "\x1b[?1049h\x1b[?1000h\x1b[31m\x1bc"],
  ])("%s takes no bytes", (_, output) => {
    expect(restoring([Buffer.from(output)])[0]!.toString()).toBe("");
  });

  it.each([
    [
      "a full-screen editor",
      "\x1b[22;0;0t\x1b]2;notes (~) - VIM\x07\x1b[?1049h\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[1;24r\x1b[?12h\x1b[?25h\x1b[2 q\x1b[?1006;1002h\x1b[38;5;130m",
    ],
    ["8-bit controls in UTF-8", "\u009b?1h\u009b4 q\u009d2;eight\u009c\u009b31m"],
    ["saved cursors of both screens", "\x1b[35m\x1b7\x1b[?1049h\x1b[42m\x1b7\x1b[0;1m"],
    ["line drawing", "\x1b)0\x0e"],
    ["tab stops of every fourth column", `\r\x1b[3g${"    \x1bH".repeat(19)}\r`],
    ["a sequence that is not finished", "\x1b[?2004h\x1b[3"],
    ["a long title", `\x1b]0;${"漢".repeat(300)}\x07`],
  ])("%s", (_, output) => {
    const [modes] = restoring([Buffer.from(output)]);
    expect(modesOf(modes!)).toEqual(modesOf(Buffer.from(output)));
  });

  it("random sequences leave the same modes as what restores them", () => {
    const outputs = seeds.map((seed) => Buffer.from(randomModes(new SeededRandom(seed))));
    for (const [i, modes] of restoring(outputs).entries()) {
      expect(modesOf(modes), `seed ${seeds[i]}: ${JSON.stringify(outputs[i]!.toString())}`).toEqual(
        modesOf(outputs[i]!),
      );
    }
  });

  it("any bytes at all give a bounded answer of whole sequences", () => {
    const outputs = seeds.map((seed) => randomBytes(new SeededRandom(seed)));
    for (const modes of restoring(outputs)) {
      expect(modes.length).toBeLessThan(16 * 1024);
      // Titles apart there is nothing but sequences.
      const rest = modes
        .toString("latin1")
        .replace(/\x1b\]2;[^\x00-\x1f]*\x1b\\/g, "")
        .replace(
          /\x1b\[[<-?]?[0-9;:]*[ !]?[@-~]|\x1b[()*+./-].|\x1b[78=>Hno|}~]|[\x0e\x0f\r]/g,
          "",
        );
      expect(rest).toBe("");
    }
  });
});

function randomBytes(random: SeededRandom): Buffer {
  const alphabet =
    "\x1b\x1b\x1b[[?;:0123456789hlmrsutqcpgHG78()=>PX]^_\\\x18\x0e\x07\xc2\x9b\xff a";
  return Buffer.from(
    Array.from({ length: random.below(400) }, () =>
      random.chance(0.9) ? alphabet.charCodeAt(random.below(alphabet.length)) : random.below(256),
    ),
  );
}

function randomModes(random: SeededRandom): string {
  const n = (limit: number) => random.below(limit);
  const onOff = () => random.pick(["h", "l"]);
  // A terminal gives back only the set that was in use, real ones all four.
  const charsets = random.chance(0.5)
    ? [
        () => `\x1b${random.pick(["(", ")", "*", "+"])}${random.pick(["0", "A", "B"])}`,
        () => random.pick(["\x0e", "\x0f", "\x1bn", "\x1bo"]),
      ]
    : [
        () => random.pick(["\x1b7", "\x1b8\r", "\x1b[s", "\x1b[u\r"]),
        () => `\x1b[?${random.pick([1048, 1049])}${onOff()}\r`,
      ];
  const pieces = [
    () => "text\t",
    () => "漢\r",
    // Elsewhere than in a line that begins by clearing some, tab stops are not known.
    () =>
      `\r\x1b[${random.pick(["", 3])}g${Array.from({ length: n(9) }, () => random.pick(["  ", "\x1bH", "\x1b[3C", "\x1b[11G\x1bH", "\x1b[2D\x1b[g", "\x1b[1m"])).join("")}\n`,
    () =>
      "a line that is longer than what is looked through byte by byte, with é, \x0f and \x1b[32m, \r\n",
    () => "\r\n",
    () => `\x1b[${n(30)};${n(90)}H`,
    () => `\x1b[${n(9)}${random.pick(["C", "D", "G", "E"])}`,
    () =>
      `\x1b[?${random.pick([1, 6, 7, 9, 25, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 5555])}${onOff()}`,
    () => `\x1b[?1;${random.pick([1000, 7])};1006${onOff()}`,
    () => `\x1b[4${onOff()}`,
    () => `\x1b[?${random.pick([47, 1047])}${onOff()}`,
    () => random.pick(["\x1b=", "\x1b>"]),
    () => `\x1b[${n(7)} q`,
    () => `\x1b[${1 + n(10)};${12 + n(12)}r`,
    () => "\x1b[r",
    () => `\x1b[>${n(32)}u`,
    () => `\x1b[<${n(3)}u`,
    () => `\x1b[=${n(32)};${1 + n(3)}u`,
    () => `\x1b[${random.pick([0, 1, 2, 3, 5, 7, 8, 9, 22, 23, 25, 27, 28, 29, 39, 49, 53, 55])}m`,
    () => `\x1b[${random.pick([3, 4, 9, 10])}${n(8)}m`,
    () => `\x1b[1;38;5;${n(256)};48;2;${n(256)};${n(256)};${n(256)}m`,
    () => `\x1b[38:2::${n(256)}:${n(256)}:${n(256)};48:5:${n(256)};3m`,
    () => `\x1b]${random.pick([0, 2])};title ${n(100)} é漢\x07`,
    () => `\x1b]${random.pick([0, 2])};other ${n(100)}\x1b\\`,
    () => `\x1b[${random.pick([22, 23])};${random.pick([0, 2])}t`,
    () => "\x1bP1$tq [31mnot a pen\x1b\\",
    () => "\x1b_also \x0e nothing\x1b\\",
    () => (random.chance(0.2) ? "\x1b[!p" : ""),
    () => (random.chance(0.1) ? "\x1bc" : ""),
    ...charsets,
  ];
  return Array.from({ length: 1 + n(60) }, () => random.pick(pieces)()).join("");
}
