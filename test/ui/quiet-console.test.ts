import { expect, it, vi } from "vitest";
import { quietConsole } from "../../src/ui/quiet-console.ts";

it("keeps what libraries remark off the screen, until the screen is given back", () => {
  const heard: unknown[] = [];
  const spies = (["error", "log", "warn"] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation((text) => void heard.push(text)),
  );
  const restore = quietConsole();
  console.warn("task queue exceeded allotted deadline by 28ms");
  console.log("log");
  console.error("error");
  expect(heard).toEqual([]);
  restore();
  console.warn("afterwards");
  expect(heard).toEqual(["afterwards"]);
  for (const spy of spies) spy.mockRestore();
});
