import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import type * as Library from "../../src/runtime/index.ts";
import { packageRoot } from "../../src/runtime/package-root.ts";

/** Codes that need an installation of their own. What is provoked elsewhere is in docs/errors.md. */
test("BOOT_VMM_PACKAGE_BROKEN: a VMM that is there but cannot be executed", async () => {
  const root = mkdtempSync(join(tmpdir(), "machinen-broken-"));
  try {
    await build({
      absWorkingDir: packageRoot(),
      entryPoints: ["src/runtime/machine/vmm-binary.ts"],
      outfile: join(root, "dist/library.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "error",
    });
    writeFileSync(join(root, "package.json"), '{"name":"machinen"}');
    const vmm = join(root, "vmm/build/machinen-vmm");
    mkdirSync(join(root, "vmm/build"), { recursive: true });
    const { resolveVmmBinary } = (await import(
      pathToFileURL(join(root, "dist/library.mjs")).href
    )) as typeof Library;
    expect(resolveVmmBinary).toThrow(expect.objectContaining({ code: "BOOT_VMM_MISSING" }));
    writeFileSync(vmm, "");
    chmodSync(vmm, 0o644);
    expect(resolveVmmBinary).toThrow(expect.objectContaining({ code: "BOOT_VMM_PACKAGE_BROKEN" }));
    chmodSync(vmm, 0o755);
    expect(resolveVmmBinary()).toBe(vmm);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
