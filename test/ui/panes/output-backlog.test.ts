import { expect, it, vi } from "vitest";
import { OutputBacklog } from "../../../src/ui/panes/output-backlog.ts";
import { ParseTurns } from "../../../src/ui/panes/parse-turns.ts";

const round = () => new Promise<void>((resolve) => setImmediate(resolve));

const idle = { frameDue: () => false, answerDue: () => false };

/** A pane whose parser is as slow as it is told, and notes what happens. */
function pane(turns: ParseTurns, pieceMs = 0, options: { first?: boolean } = {}) {
  const events: string[] = [];
  let text = "";
  const backlog = new OutputBacklog({
    turns,
    first: () => options.first === true,
    parse: (bytes) => {
      const end = performance.now() + pieceMs;
      while (performance.now() < end);
      text += bytes.toString();
      events.push(`parse ${bytes.length}`);
    },
    pause: () => events.push("pause"),
    resume: () => events.push("resume"),
  });
  return { backlog, events, options, text: () => text };
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) await round();
}

it("parses what the user looks for at once, and the rest of a long piece by turns", async () => {
  const { backlog, events, text } = pane(new ParseTurns(idle), 2, { first: true });
  backlog.push(Buffer.from("short"));
  expect(text()).toBe("short");
  const long = "x".repeat(10_000);
  backlog.push(Buffer.from(long));
  expect(events).toEqual(["parse 5", "parse 4096"]);
  backlog.push(Buffer.from("after it"));
  expect(text()).toHaveLength(5 + 4096);
  await until(() => text().endsWith("after it"));
  expect(text()).toBe(`short${long}after it`);
});

it("lets panes parse by turns, and a frame that is due comes before them", async () => {
  let due = true;
  const order: string[] = [];
  const turns = new ParseTurns({ ...idle, frameDue: () => due });
  for (const name of ["a", "b"]) {
    let left = 3;
    turns.later({
      first: () => false,
      parsePiece: () => {
        const end = performance.now() + 2;
        while (performance.now() < end);
        order.push(name);
        return --left > 0;
      },
    });
  }
  await round();
  await round();
  expect(order).toEqual([]);
  due = false;
  await until(() => order.length === 6);
  expect(order.join("")).toBe("ababab");
});

it("parses only what may be the answer to a key while one is due", async () => {
  let due = true;
  const turns = new ParseTurns({ ...idle, answerDue: () => due });
  const other = pane(turns);
  const selected = pane(turns, 2, { first: true });
  other.backlog.push(Buffer.from("later"));
  selected.backlog.push(Buffer.alloc(10_000, "a"));
  await until(() => selected.text().length === 10_000);
  expect(other.text()).toBe("");
  due = false;
  await vi.waitFor(() => expect(other.text()).toBe("later"), 10_000);
});

it("stops reading a session that is far ahead, and goes on when little is left", async () => {
  const { backlog, events, text } = pane(new ParseTurns(idle));
  const chunk = Buffer.alloc(20_000, "y");
  for (let i = 0; i < 3; i++) backlog.push(chunk);
  expect(events).toEqual([]);
  backlog.push(chunk);
  expect(events).toEqual(["pause"]);
  await until(() => text().length === 80_000);
  const left = events
    .slice(0, events.indexOf("resume"))
    .reduce((bytes, event) => bytes - Number(/parse (\d+)/.exec(event)?.[1] ?? 0), 80_000);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(16_384);
  expect(events.filter((event) => event === "resume")).toHaveLength(1);
});

it("parses everything when asked, also while it is parsing, and nothing once it is cleared", async () => {
  const turns = new ParseTurns(idle);
  const waiting = pane(turns);
  waiting.backlog.push(Buffer.alloc(70_000, "z"));
  waiting.backlog.flush();
  expect(waiting.text()).toHaveLength(70_000);
  expect(waiting.events.at(-1)).toMatch(/^parse/);
  expect(waiting.events.filter((event) => event === "resume")).toHaveLength(1);

  let nested = "";
  const eager: OutputBacklog = new OutputBacklog({
    turns,
    first: () => true,
    parse: (bytes) => {
      nested += bytes.toString();
      eager.flush();
    },
    pause: () => {},
    resume: () => {},
  });
  const bytes = Buffer.from(Array.from({ length: 3000 }, (_, i) => `${i} `).join(""));
  eager.push(bytes);
  expect(nested).toBe(bytes.toString());

  const gone = pane(turns);
  gone.backlog.push(Buffer.from("never seen"));
  gone.backlog.clear();
  await round();
  await round();
  expect(gone.events).toEqual([]);
});
