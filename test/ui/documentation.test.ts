import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { configurationPage, keysPage } from "../../src/ui/documentation.ts";

it.each([
  ["keys.md", keysPage],
  ["configuration.md", configurationPage],
])("docs/%s is what the tables say (node bin/docs.mjs writes it)", (file, page) => {
  expect(readFileSync(join(packageRoot(), "docs", file), "utf8")).toBe(page());
});
