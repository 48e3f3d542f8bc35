import { defineConfig } from "vitest/config";

/**
 * Three kinds of test by file name: plain ones take milliseconds and need nothing;
 * `*.integration.test.ts` boot real guests; `test/e2e` drives the real binary on a pty.
 */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts", "test/**/*.test.tsx"],
    pool: "forks",
    maxWorkers: 2,
    // A guest boots in about 2 s of CPU under software emulation, several at a time on 2 cores.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
  },
});
