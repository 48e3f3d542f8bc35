// Which tests prove an export: the statement of its type in test/conformance/, those in
// test/conformance/proofs.json that show it at work, and for each promise the one that fails without it
// (promises.mjs).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readPromises } from "./promises.mjs";

const DIRECTORY = "test/conformance";

/** The names stated in a file: the keys of its `statements`. */
function statedIn(text) {
  return [...text.matchAll(/^ {2}(?:async )?(\w+)(?:\(|: states\()/gm)].map((match) => match[1]);
}

/** The test says the name, not only where it imports it. */
function speaksOf(text, name) {
  const body = text.replace(/^import [^;]*;$/gm, "");
  return new RegExp(`\\b${name}\\b`).test(body);
}

/** Names that programs written against version 0.1 import; more may be added, none may go. */
const PROMISED = 118;

/** What is wrong with the proofs of these exports, a line each. */
export function problemsOf(root, exported, { types, behaviour, promises, problems }) {
  const names = new Set(exported.map(({ name }) => name));
  const gone = [...types.keys(), ...behaviour.keys(), ...promises.keys()].filter(
    (name) => !names.has(name),
  );
  const unproved = exported.filter(({ name }) => !behaviour.has(name));
  // A type has no name in a running program: the test of what takes or gives it is its proof.
  const mute = exported.filter(({ name, localName, kind }) => {
    const paths = kind === "type" ? [] : (behaviour.get(name) ?? []);
    return paths.some((path) => {
      if (!existsSync(join(root, path))) return false;
      const text = readFileSync(join(root, path), "utf8");
      return ![name, localName].some((word) => speaksOf(text, word));
    });
  });
  const silent = exported.filter(
    ({ text, signatures }) => !text && !signatures.join().includes("/**"),
  );
  return [
    ...problems,
    ...gone.map((name) => `${name} is no export`),
    ...unproved.map(({ name }) => `${name} has no proof: add a line to ${DIRECTORY}/proofs.json`),
    ...mute.map(({ name }) => `${name}: not all of ${behaviour.get(name)} speak of it`),
    ...silent.map(({ name }) => `${name} has no docstring`),
    ...(types.size === PROMISED ? [] : [`${types.size} exports are stated, not ${PROMISED}`]),
  ];
}

/** @returns {{types: Map<string, string>, behaviour: Map<string, string[]>, promises: Map<string, import("./promises.mjs").Kept[]>, problems: string[]}} */
export function readProofs(root) {
  const types = new Map();
  const { promises, problems } = readPromises(root);
  for (const name of readdirSync(join(root, DIRECTORY)).filter((file) => /^\w+\.ts$/.test(file))) {
    const text = readFileSync(join(root, DIRECTORY, name), "utf8");
    if (!text.includes("export const statements")) continue;
    for (const stated of statedIn(text)) {
      if (types.has(stated)) problems.push(`${stated} is stated twice`);
      types.set(stated, `${DIRECTORY}/${name}`);
    }
  }
  const table = JSON.parse(readFileSync(join(root, DIRECTORY, "proofs.json"), "utf8"));
  const behaviour = new Map(Object.entries(table).map(([name, paths]) => [name, [paths].flat()]));
  for (const [name, path] of [...behaviour].flatMap(([name, paths]) =>
    paths.map((p) => [name, p]),
  )) {
    if (!existsSync(join(root, path))) problems.push(`${name}: ${path} is not there`);
    else if (!/\.test\.tsx?$/.test(path)) problems.push(`${name}: ${path} is no test`);
  }
  return { types, behaviour, promises, problems };
}
