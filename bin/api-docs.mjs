// Writes docs/api.md from the declarations of src/runtime/index.ts and our own docstrings; with --check
// it only says what is missing or stale. The suite runs that.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readExports } from "./api-docs/exports.mjs";
import { apiPage } from "./api-docs/page.mjs";
import { problemsOf, readProofs } from "./api-docs/proofs.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const path = join(root, "docs/api.md");
const exported = readExports(root);
const proofs = readProofs(root);
const page = apiPage(exported, proofs);

if (process.argv.includes("--check")) {
  const problems = problemsOf(root, exported, proofs);
  if (readFileSync(path, "utf8") !== page) {
    problems.push("docs/api.md is stale: run node bin/api-docs.mjs and commit what it writes");
  }
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  writeFileSync(path, page);
}
