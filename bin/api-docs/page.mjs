// docs/api.md as text.

import { differences } from "./differences.mjs";

const link = (path) => `[${path.replace(/^test\//, "")}](../${path})`;

/** The folder or file under src/runtime/ that a concept lives in. */
const conceptOf = ({ file }) => file.replace(/^src\/runtime\//, "").replace(/(\/.*|\.ts)$/, "");

function entry({ name, signatures, text, throws }, { promises }) {
  const kept = promises.get(name) ?? [];
  return [
    `### ${name}`,
    text,
    `\`\`\`ts\n${signatures.join("\n")}\n\`\`\``,
    throws.map((line) => `- throws ${line}`).join("\n"),
    kept.length > 0 ? "Promised, and the test that fails without it:" : "",
    kept.map(({ promise, path, test }) => `- ${promise}: ${link(path)}, "${test}"`).join("\n"),
  ]
    .filter(Boolean)
    .join("\n\n");
}

function row({ name, kind }, { types, behaviour }) {
  const proofs = [behaviour.get(name), types.get(name)].flat().filter(Boolean).map(link).join(", ");
  const what = { value: "value", type: "type", both: "value and type" }[kind];
  return `| [\`${name}\`](#${name.toLowerCase()}) | ${what} | ${proofs} |`;
}

export function apiPage(exports, proofs) {
  const sorted = [...exports].sort((a, b) => (a.name < b.name ? -1 : 1));
  const concepts = [...new Set(sorted.map(conceptOf))].sort();
  const parts = [
    "# The library",
    "Made by `node bin/api-docs.mjs` from the declarations and docstrings; do not edit. Error codes are in [errors.md](errors.md).",
    "## Checklist",
    "Every export and the tests that prove it: what it does, and that its type is the one promised. What is promised of it in particular, and by which test each of these is held, stands below with the export.",
    ["| export | kind | proved by |", "|---|---|---|", ...sorted.map((e) => row(e, proofs))].join(
      "\n",
    ),
    "## Differences from version 0.1",
    "Programs written against version 0.1 are to run unchanged; these are the places where one may notice a difference. Codes that are not raised, and why, are in [errors.md](errors.md).",
    differences.map((sentence) => `- ${sentence}`).join("\n"),
  ];
  for (const concept of concepts) {
    parts.push(
      `## ${concept}`,
      ...sorted.filter((e) => conceptOf(e) === concept).map((e) => entry(e, proofs)),
    );
  }
  return `${parts.join("\n\n")}\n`;
}
