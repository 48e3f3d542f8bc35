// Builds dist/: the CLI and the library, one bundle each; with --types also the declarations;
// with --bench the bench instead.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ink imports the React developer tools behind a flag; they would only cost start-up time here. */
const withoutDevtools = {
  name: "without-react-devtools",
  setup(build) {
    build.onResolve({ filter: /^react-devtools-core$/ }, () => ({
      path: "react-devtools-core",
      namespace: "empty",
    }));
    build.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "export default {};" }));
  },
};

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  jsx: "automatic",
  // A native addon finds its binary beside itself, so it cannot move into a bundle.
  external: ["node-pty"],
  plugins: [withoutDevtools],
  define: { "process.env.NODE_ENV": '"production"', "process.env.DEV": '"false"' },
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
};

const bundles = process.argv.includes("--bench")
  ? [{ entryPoints: ["bench/index.ts"], outfile: "dist/bench.js" }]
  : [
      { entryPoints: ["src/cli/main.ts"], outfile: "dist/cli.js", minify: true, keepNames: true },
      { entryPoints: ["src/runtime/index.ts"], outfile: "dist/runtime.js" },
    ];
await Promise.all(bundles.map((bundle) => build({ ...common, ...bundle })));

if (process.argv.includes("--types")) {
  rmSync(join(root, "dist/types"), { recursive: true, force: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.types.json"], {
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
