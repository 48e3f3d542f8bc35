import { existsSync } from "node:fs";
import { join } from "node:path";
import { resolveBaseKernel, resolveImage } from "../../../src/runtime/images/index.ts";
import { builtVmmBinary } from "../../../src/runtime/machine/vmm-binary.ts";
import { packageRoot } from "../../../src/runtime/package-root.ts";

/** Whether a real guest of this image can be booted here: programs built, kernel and base installed. */
export function canBoot(image: "tiny" | "debian"): boolean {
  try {
    resolveBaseKernel();
    resolveImage(image);
  } catch {
    return false;
  }
  const init = join(packageRoot(), "guest", "build", "machinen-init");
  return existsSync(builtVmmBinary()) && existsSync(init);
}
