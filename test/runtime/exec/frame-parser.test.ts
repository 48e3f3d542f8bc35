import { expect, it } from "vitest";
import { FrameParser } from "../../../src/runtime/exec/frame-parser.ts";

/** Runs of data of one kind count as one, however they were cut. */
function parse(chunks: Buffer[]): { events: string[]; pieces: number } {
  const events: string[] = [];
  let pieces = 0;
  let open: string | undefined;
  const parser = new FrameParser({
    started: (pid) => note(`A ${pid}`),
    size: (cols, rows) => note(`W ${cols}x${rows}`),
    exit: (code) => note(`X ${code}`),
    refused: (message) => note(`! ${message}`),
    data(kind, bytes) {
      pieces++;
      const text = bytes.toString("latin1");
      if (open === kind) events[events.length - 1] += text;
      else events.push(`${kind} ${text}`);
      open = kind;
    },
  });
  function note(event: string) {
    open = undefined;
    events.push(event);
  }
  // The parser may move bytes inside a chunk: give it its own.
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return { events, pieces };
}

const CONVERSATION = Buffer.from(
  "A 17\nW 80 24\nB 3\na\nbB 0\nO 5\nhelloO 1\n!O 0\nE 4\nO 3\nO 2\n\n\nX 255\n",
);
const EVENTS = ["A 17", "W 80x24", "B a\nb", "O hello!", "E O 3\n", "O \n\n", "X 255"];

it("reads the same from chunks cut anywhere", () => {
  expect(parse([CONVERSATION]).events).toEqual(EVENTS);
  expect(parse([...CONVERSATION].map((byte) => Buffer.of(byte))).events).toEqual(EVENTS);
  for (let one = 0; one <= CONVERSATION.length; one++) {
    for (let two = one; two <= CONVERSATION.length; two += 3) {
      const cut = [
        [0, one],
        [one, two],
        [two, undefined],
      ] as const;
      const chunks = cut.map(([from, to]) => CONVERSATION.subarray(from, to));
      expect(parse(chunks).events, `cut at ${one} and ${two}`).toEqual(EVENTS);
    }
  }
});

it("hands a flood of small frames on as one piece per chunk", () => {
  const flood = Buffer.from("O 3\nabc".repeat(1000));
  const { events, pieces } = parse([flood]);
  expect(pieces).toBe(1);
  expect(events).toEqual([`O ${"abc".repeat(1000)}`]);
});

it("keeps what it handed on before apart from what it moves later", () => {
  const seen: Buffer[] = [];
  const parser = new FrameParser({
    data: (_kind, bytes) => seen.push(bytes),
    exit() {},
    refused() {},
  });
  parser.push(Buffer.from("O 3\noneE 3\ntwoO 5\nthreeO 4\nfourE 1\n5"));
  expect(seen.map(String)).toEqual(["one", "two", "threefour", "5"]);
});

it("stops at the last frame", () => {
  expect(parse([Buffer.from("X 0\nO 1\naX 1\n")]).events).toEqual(["X 0"]);
  expect(parse([Buffer.from("! SESSION_NAME b\u00e4d\x1b[2J name\nX 1\n")]).events).toEqual([
    "! SESSION_NAME b\u00e4d [2J name",
  ]);
});

it("refuses what is no frame, within bounds", () => {
  const bad = [
    "Z 1\n",
    "\n",
    "O\n",
    "O \n",
    "O -1\n",
    "O 1 \n",
    "O 65537\n",
    "O 99999999999\n",
    "O 1e3\n",
    "O 0x1\n",
    "X\n",
    "X -1\n",
    "A 1 2\n",
    "W 80\n",
    `! ${"x".repeat(2000)}\n`,
    "9".repeat(5000),
  ];
  for (const text of bad) {
    const whole = () => parse([Buffer.from(text)]);
    const bytewise = () => parse([...Buffer.from(text)].map((byte) => Buffer.of(byte)));
    for (const run of [whole, bytewise]) {
      expect(run, text.slice(0, 20)).toThrow(expect.objectContaining({ code: "EXEC_PROTOCOL" }));
    }
  }
});

it("survives random bytes", () => {
  let seed = 7;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed >>> 16;
  };
  const alphabet = "AWBOEX! 0123456789\n\0\xff";
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(
      Array.from({ length: random() % 60 }, () => alphabet.charCodeAt(random() % alphabet.length)),
    );
    try {
      parse([bytes]);
    } catch (error) {
      expect(error).toMatchObject({ code: "EXEC_PROTOCOL" });
    }
  }
});
