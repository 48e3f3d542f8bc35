import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, test, vi } from "vitest";
import type * as Library from "../../src/runtime/index.ts";
import { boot } from "../../src/runtime/index.ts";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { rejection, useScratch } from "../runtime/machine/scratch.ts";

/** Codes that need an installation or a VMM of their own. What is provoked elsewhere is in docs/errors.md. */
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

test("BOOT_PORT_FORWARD_NO_GVPROXY: a VMM that was built without a network", async () => {
  const scratch = useScratch();
  try {
    // What such a VMM says is tested with a VMM; here a program says it in its place.
    const vmm = join(scratch.path, "vmm");
    writeFileSync(
      vmm,
      "#!/bin/sh\necho NETWORK_MISSING: this machinen-vmm has no network >&2; exit 2\n",
    );
    chmodSync(vmm, 0o755);
    vi.stubEnv("MACHINEN_VMM", vmm);
    const error = await rejection(boot({ portForward: [{ hostPort: 1, guestPort: 80 }] }));
    expect(error).toMatchObject({ code: "BOOT_PORT_FORWARD_NO_GVPROXY", retryable: false });
  } finally {
    vi.unstubAllEnvs();
    scratch.remove();
  }
});
