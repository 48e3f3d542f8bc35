import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let found: string | undefined;

/** The directory of our own package.json: the same file may run from `src/`, from a bundle in `dist/` or from a global install. */
export function packageRoot(): string {
  if (found) return found;
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(directory, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "machinen") {
      found = directory;
      return directory;
    }
    const parent = dirname(directory);
    if (parent === directory)
      throw new Error("machinen's package.json was not found above its code");
    directory = parent;
  }
}

/** Version of this package. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")).version;
}
