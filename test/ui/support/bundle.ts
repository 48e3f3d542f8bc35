import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const require = createRequire(import.meta.url);

/** Bundles the test's entry script as the package bundles its own; returns its directory. */
export async function bundleTui(): Promise<{ directory: string; script: string }> {
  const directory = mkdtempSync(join(tmpdir(), "machinen-ui-test-"));
  const script = join(directory, "tui.mjs");
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
          // A native module is loaded from where it was installed.
          builder.onResolve({ filter: /^node-pty$/ }, () => ({
            path: require.resolve("node-pty"),
            external: true,
          }));
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
