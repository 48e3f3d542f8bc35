import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, cacheRoot, statKey } from "../src/runtime/images/cache-dir.ts";
import { resolveBaseKernel, resolveImage } from "../src/runtime/images/index.ts";
import { provision } from "../src/runtime/index.ts";

/** apt in an emulated guest takes about a minute. */
const STEP_MS = 400_000;

/**
 * CRIU asks the kernel for modules that no guest of ours carries (socket diagnosis, nf_tables): here they lie where
 * the kernel looks for them itself, from the package our kernel is from.
 */
const STEPS = [
  "apt-get update -o Acquire::Languages=none",
  "apt-get install -y --no-install-recommends criu kmod",
  "cd /tmp && apt-get download -o APT::Sandbox::User=root linux-image-$(uname -r)",
  "cd /tmp && dpkg-deb --fsys-tarfile linux-image-*.deb | tar -x -C / ./lib/modules",
  "depmod && rm -r /tmp/linux-image-*.deb /var/lib/apt/lists/*",
  "criu check",
];

/**
 * A Debian image with CRIU and the modules it wants. Made once for each kernel and base (about two minutes, and the
 * Debian archive must be reached), then kept in the cache; those for other kernels go.
 */
export async function criuImage(log: (line: string) => void): Promise<string> {
  const directory = cacheDir(join(cacheRoot(), "bench"));
  const recipe = createHash("sha256").update(STEPS.join("\n")).digest("hex").slice(0, 8);
  const name = `criu-${statKey(resolveBaseKernel(), resolveImage("debian"))}-${recipe}.tar.gz`;
  const out = join(directory, name);
  if (existsSync(out)) return out;
  log("CRIU: making a Debian image with it, about two minutes");
  for (const old of readdirSync(directory)) {
    if (old.startsWith("criu-")) rmSync(join(directory, old));
  }
  await provision({
    base: "debian",
    out,
    install: async (vm) => {
      for (const step of STEPS) await vm.exec(step, { execTimeoutMs: STEP_MS });
    },
  });
  return out;
}
