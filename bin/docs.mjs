// Writes the documentation that is made from the program's own tables.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), "machinen-docs-"));
try {
  const outfile = join(scratch, "documentation.mjs");
  await build({
    entryPoints: [join(root, "src/ui/documentation.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "warning",
  });
  const { keysPage, configurationPage } = await import(pathToFileURL(outfile).href);
  writeFileSync(join(root, "docs/keys.md"), keysPage());
  writeFileSync(join(root, "docs/configuration.md"), configurationPage());
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
