// What each export promises, in a few words, and the test that fails when it is not kept:
// test/conformance/promises/*.json, by export, `"promise": "file: words of the test's name"`.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DIRECTORY = "test/conformance/promises";

/** @typedef {{promise: string, path: string, test: string}} Kept */

/** Whether a name in the source has these words: before and after them it may say which base it is about. */
function hasTest(text, words) {
  return text.split("\n").some((line) => {
    const at = line.indexOf(words);
    return at > 0 && /["'`]/.test(line.slice(0, at));
  });
}

/** @returns {{promises: Map<string, Kept[]>, problems: string[]}} */
export function readPromises(root) {
  const promises = new Map();
  const problems = [];
  for (const file of readdirSync(join(root, DIRECTORY)).sort()) {
    const table = JSON.parse(readFileSync(join(root, DIRECTORY, file), "utf8"));
    for (const [name, entries] of Object.entries(table)) {
      if (promises.has(name)) problems.push(`${name} is in two files of ${DIRECTORY}`);
      const kept = Object.entries(entries).map(([promise, proof]) => {
        const [path, test] = proof.split(/: (.*)/s);
        return { promise, path, test };
      });
      promises.set(name, kept);
      for (const { promise, path, test } of kept) {
        const source = existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
        if (!hasTest(source, test))
          problems.push(`${name}, ${promise}: no test "${test}" in ${path}`);
      }
    }
  }
  return { promises, problems };
}
