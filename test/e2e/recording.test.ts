import { readFileSync } from "node:fs";
import { join } from "node:path";
import headless from "@xterm/headless";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";

test("the recorded tour (node bin/record-tour.mjs) shows a fork, a comparison and what differs", async () => {
  const file = readFileSync(join(packageRoot(), "docs/fork-and-compare.cast"), "utf8");
  const [header, ...events] = file
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(header).toMatchObject({ version: 2, width: 120, height: 30 });
  const screen = new headless.Terminal({ cols: 120, rows: 30, allowProposedApi: true });
  const seen = new Set<string>();
  const wanted = [
    "╭─ m1.1 ",
    "2 compare",
    "all panes of the tab",
    "» keys go to 2 panes",
    "≠ differing cells",
    "+forks in m1.1",
    "Keep m1",
  ];
  let before = 0;
  for (const [time, kind, data] of events) {
    expect(time).toBeGreaterThanOrEqual(before);
    expect(kind).toBe("o");
    before = time;
    await new Promise<void>((resolve) => screen.write(data, resolve));
    const { active } = screen.buffer;
    const text = Array.from({ length: 30 }, (_, y) => active.getLine(y)?.translateToString()).join(
      "\n",
    );
    for (const words of wanted) if (text.includes(words)) seen.add(words);
  }
  expect([...seen].sort()).toEqual([...wanted].sort());
  expect(screen.buffer.active.type).toBe("normal");
});
