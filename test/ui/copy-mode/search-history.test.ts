import { expect, it } from "vitest";
import { SearchHistory } from "../../../src/ui/copy-mode/search-history.ts";
import { copyModeOn } from "./support.ts";

it("walks through earlier searches and back to what was being typed", () => {
  const history = new SearchHistory();
  for (const text of ["one", "two", "", "one", "three"]) history.add(text);
  history.begin();
  expect(history.step(1, "dra")).toBeUndefined();
  expect([-1, -1, -1, -1].map((by) => history.step(by as -1, "dra"))).toEqual([
    "three",
    "one",
    "two",
    undefined,
  ]);
  expect([1, 1, 1, 1].map((by) => history.step(by as 1, "x"))).toEqual([
    "one",
    "three",
    "dra",
    undefined,
  ]);
});

it("stays bounded", () => {
  const history = new SearchHistory();
  for (let i = 0; i < 1000; i++) history.add(`search ${i}`);
  history.begin();
  let steps = 0;
  while (history.step(-1, "") !== undefined) steps++;
  expect(steps).toBe(100);
});

it("what is no regular expression is told with its fault, whether it is found or not", () => {
  const { mode } = copyModeOn("f(x)\n");
  for (const [text, message] of [
    ["f(", "no regular expression (unterminated group): taken as it stands"],
    ["g(", "no regular expression (unterminated group): taken as it stands; not found"],
    ["nothing", "not found"],
  ] as const) {
    mode.run("copy-search");
    mode.typed(text);
    mode.closePrompt(true);
    expect(mode.message).toBe(message);
  }
});
