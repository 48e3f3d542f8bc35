// Whether the bundles in dist/ were built from the sources as they are.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const inputs = ["src", "bin/build.mjs", "package.json", "package-lock.json"];
const stampFile = "dist/.stamp";

function* files(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) {
    yield `${path} ${stat.size} ${stat.mtimeMs}`;
    return;
  }
  for (const name of readdirSync(path).sort()) yield* files(join(path, name));
}

function sourcesDigest(root) {
  const hash = createHash("sha256");
  for (const input of inputs) for (const line of files(join(root, input))) hash.update(`${line}\n`);
  return hash.digest("hex");
}

/** Returns a function that marks the bundle as built from the sources seen now, or nothing when it already is. */
export function bundleIsStale(root) {
  const digest = sourcesDigest(root);
  const stamp = join(root, stampFile);
  const built = ["dist/cli.js", "dist/runtime.js"].every((file) => existsSync(join(root, file)));
  if (built && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return undefined;
  return () => {
    mkdirSync(join(root, "dist"), { recursive: true });
    writeFileSync(stamp, digest);
  };
}
