import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { assetStatus } from "../runtime/assets/index.ts";
import { isExecutableFile } from "../runtime/executable.ts";
import { readHostFreeBytes } from "../runtime/memory/index.ts";
import { packageRoot, packageVersion } from "../runtime/package-root.ts";
import { formatBytes } from "./output.ts";

export interface Check {
  name: string;
  /** `absent`: missing, but machines boot without it. */
  state: "ok" | "absent" | "broken";
  detail: string;
  nextStep?: string;
}

const run = promisify(execFile);
const setUp = "in a checkout: node bin/setup.mjs";

function findProgram(name: string): string | undefined {
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"]
    .map((directory) => join(directory, name))
    .find(isExecutableFile);
}

function nativeCheck(name: string, path: string): Check {
  return isExecutableFile(path)
    ? { name, state: "ok", detail: path }
    : { name, state: "broken", detail: `${path} is missing`, nextStep: setUp };
}

async function acceleratorCheck(vmm: string): Promise<Check> {
  const name = "accelerator";
  try {
    const { stdout } = await run(vmm, ["probe"], { timeout: 10_000 });
    const { accel, reason } = JSON.parse(stdout) as { accel: string; reason: string };
    return { name, state: "ok", detail: `${accel}: ${reason}` };
  } catch (error) {
    return {
      name,
      state: "broken",
      detail: `the probe failed: ${(error as Error).message}`,
      nextStep: setUp,
    };
  }
}

async function qemuCheck(): Promise<Check> {
  const arm = process.arch === "arm64";
  const program = process.env.MACHINEN_QEMU ?? (arm ? "qemu-system-aarch64" : "qemu-system-x86_64");
  const name = "QEMU";
  try {
    const { stdout } = await run(program, ["--version"], { timeout: 10_000 });
    return { name, state: "ok", detail: stdout.split("\n")[0]! };
  } catch (error) {
    const install = `apt-get install --no-install-recommends qemu-system-${arm ? "arm" : "x86"}`;
    return {
      name,
      state: "broken",
      detail: `${program} does not run: ${(error as Error).message.split("\n")[0]}`,
      nextStep: process.env.MACHINEN_QEMU ? "correct or unset MACHINEN_QEMU" : install,
    };
  }
}

/** Programs some commands call; a plain boot needs none of them. */
const tools = [
  { name: "mke2fs", makes: "root disks", install: "apt-get install e2fsprogs" },
  { name: "mksquashfs", makes: "mounted directories", install: "apt-get install squashfs-tools" },
  { name: "mmdebstrap", makes: "the Debian base", install: "apt-get install mmdebstrap" },
];

function toolCheck({ name, makes, install }: (typeof tools)[number]): Check {
  const path = findProgram(name);
  if (path) return { name, state: "ok", detail: `${path}, makes ${makes}` };
  return { name, state: "absent", detail: `not found; it makes ${makes}`, nextStep: install };
}

function assetChecks(): Check[] {
  return assetStatus({ deep: true }).map(({ kind, state, version, problem, path, sizeBytes }) => {
    const name = kind === "kernel" ? "guest kernel" : `${kind} base`;
    if (state === "present")
      return { name, state: "ok", detail: `${version ?? path}, ${formatBytes(sizeBytes)}` };
    return {
      name,
      state: state === "missing" && kind === "debian" ? "absent" : "broken",
      detail: problem ?? "not installed",
      nextStep: `machinen install ${state === "damaged" ? "--force " : ""}${kind}`,
    };
  });
}

function terminalCheck(stdout: NodeJS.WriteStream): Check {
  const name = "terminal";
  if (!stdout.isTTY)
    return {
      name,
      state: "absent",
      detail: "standard output is none: machinen shows the plain-text tour",
    };
  const detail = `${process.env.TERM ?? "TERM is not set"}, ${stdout.columns}x${stdout.rows}, ${2 ** stdout.getColorDepth()} colours`;
  if (stdout.columns >= 40 && stdout.rows >= 10) return { name, state: "ok", detail };
  return { name, state: "absent", detail, nextStep: "make it at least 40x10" };
}

export async function runChecks(stdout: NodeJS.WriteStream): Promise<Check[]> {
  const root = packageRoot();
  const vmm = process.env.MACHINEN_VMM ?? join(root, "vmm/build/machinen-vmm");
  const version = `${packageVersion()} in ${root}, Node ${process.versions.node}`;
  return [
    { name: "machinen", state: "ok", detail: version },
    nativeCheck("machinen-vmm", vmm),
    nativeCheck("guest init", join(root, "guest/build/machinen-init")),
    await acceleratorCheck(vmm),
    await qemuCheck(),
    ...tools.map(toolCheck),
    ...assetChecks(),
    { name: "free memory", state: "ok", detail: formatBytes(await readHostFreeBytes()) },
    terminalCheck(stdout),
  ];
}
