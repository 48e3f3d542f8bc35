import { expect, test } from "vitest";
import { chooseBases } from "./bases.ts";

const names = (list?: string) => chooseBases(list).map(({ name }) => name);

test("without a list tests run on every base, with one on those it names", () => {
  expect(names()).toEqual(["tiny", "debian"]);
  expect(names("")).toEqual(["tiny", "debian"]);
  expect(names("debian")).toEqual(["debian"]);
  expect(names(" debian, tiny,debian")).toEqual(["tiny", "debian"]);
});

test("a base that is not there is an error: no run is to pass because it ran nothing", () => {
  expect(() => names("tiny,debain")).toThrow('"debain"; there are: tiny, debian');
});
