import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { packageRoot } from "../../../src/runtime/package-root.ts";

/** Bundles the test's entry script as the package bundles its own; returns its directory. */
export async function bundleTui(): Promise<{ directory: string; script: string }> {
  const directory = mkdtempSync(join(tmpdir(), "machinen-ui-test-"));
  const script = join(directory, "tui.mjs");
  // The native module of local PTYs is loaded at run time, from beside the bundle.
  symlinkSync(join(packageRoot(), "node_modules"), join(directory, "node_modules"));
  await build({
    entryPoints: [fileURLToPath(new URL("./tui-main.ts", import.meta.url))],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    banner: {
      js: "import { createRequire as createRequireForBundle } from 'node:module'; const require = createRequireForBundle(import.meta.url);",
    },
    plugins: [
      {
        name: "machinen-test",
        setup(builder) {
          builder.onResolve({ filter: /^react-devtools-core$/ }, () => ({
            path: "devtools",
            namespace: "empty",
          }));
          builder.onLoad({ filter: /.*/, namespace: "empty" }, () => ({
            contents: "export default {};",
          }));
        },
      },
    ],
  });
  return { directory, script };
}
