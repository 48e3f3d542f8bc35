import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { make } from "../make.ts";

beforeAll(() => make("guest", "fuse-relay"), 600_000);

test.each([
  ["the host pauses it", "host-pauses"],
  ["its server makes way for that of another machine", "server-goes"],
])("a live mount keeps back what the kernel asks in the moment in which %s", (_when, scenario) => {
  const program = join(packageRoot(), "guest/build/fuse-relay-test");
  expect(execFileSync(program, [scenario], { encoding: "utf8", timeout: 60_000 })).toBe("ok\n");
});
