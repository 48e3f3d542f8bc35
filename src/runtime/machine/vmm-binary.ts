import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { BootError } from "../errors.ts";
import { isExecutableFile } from "../executable.ts";
import { packageRoot } from "../package-root.ts";

/** Where `make -C vmm` puts our own VMM. */
export function builtVmmBinary(): string {
  return join(packageRoot(), "vmm", "build", "machinen-vmm");
}

/** Whether a program does what docs/protocol.md promises: any other may stand in for it and do as it likes. */
export function isOurVmm(binary: string): boolean {
  return basename(binary) === basename(builtVmmBinary());
}

/** `MACHINEN_VMM`, else the built one. @throws {BootError} BOOT_VMM_MISSING | BOOT_VMM_PACKAGE_BROKEN */
export function resolveVmmBinary(): string {
  const override = process.env.MACHINEN_VMM;
  if (override) {
    const path = resolve(override);
    if (isExecutableFile(path)) return path;
    throw new BootError(
      "BOOT_VMM_MISSING",
      `MACHINEN_VMM points at ${path}, which is not an executable file; correct or unset it`,
    );
  }
  const built = builtVmmBinary();
  if (isExecutableFile(built)) return built;
  if (existsSync(built)) {
    throw new BootError(
      "BOOT_VMM_PACKAGE_BROKEN",
      `${built} is there but cannot be executed; rebuild it: make -C ${join(packageRoot(), "vmm")}`,
    );
  }
  throw new BootError(
    "BOOT_VMM_MISSING",
    `machinen-vmm is not built; build it: make -C ${join(packageRoot(), "vmm")}`,
  );
}

/** The program a boot runs: the caller's choice (relative to `cwd`) or ours. */
export function chooseVmmBinary(binary: string | undefined, cwd: string): string {
  if (binary === undefined) return resolveVmmBinary();
  const path = resolve(cwd, binary);
  if (isExecutableFile(path)) return path;
  throw new BootError("BOOT_VMM_MISSING", `binary ${path} is not an executable file`);
}
