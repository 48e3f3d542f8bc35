import { createHash } from "node:crypto";
import { accessSync, constants, realpathSync } from "node:fs";
import { cpus } from "node:os";
import { delimiter, join } from "node:path";
import { isExecutableFile } from "../executable.ts";
import { contentDigest, initramfsInputs } from "../images/index.ts";

/** Raise it when what a template holds or means changes in a way its inputs do not show. */
const FORMAT = 1;
const KEY_LENGTH = 40;

/** Everything that makes two cold boots end in the same state; command, name and the like come later. */
export interface TemplateInputs {
  kernel: string;
  initramfs: string;
  image: string;
  root: "ram" | "disk";
  diskBytes?: number;
  /** With a mount: how large its writable disk is. The machine's packed directory takes the place of the template's. */
  mountBytes?: number;
  /** With a scratch disk: how large it is. The machine's own takes the place of the template's. */
  scratchBytes?: number;
  memoryMib: number;
  vmm: string;
  qemu: string;
  /** What `MACHINEN_*` variables say of the machine; see `TUNING`. */
  tuning: Record<string, string>;
  /** Device state and clock rates belong to a processor. */
  processor: string;
  kvm: boolean;
}

/** Variables that shape a machine without taking it over: templates are kept apart by them. */
export const TUNING = [
  "MACHINEN_ACCEL",
  "MACHINEN_CMDLINE",
  "MACHINEN_CPUS",
  "MACHINEN_QEMU",
  "MACHINEN_TSC_KHZ",
] as const;

/** Pure. */
export function templateKey(inputs: TemplateInputs): string {
  const fields = Object.entries(inputs)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([FORMAT, process.arch, fields]);
  return createHash("sha256").update(text).digest("hex").slice(0, KEY_LENGTH);
}

/** Where the VMM will find its QEMU; undefined when it will not. */
export function findQemu(env: NodeJS.ProcessEnv): string | undefined {
  const name = env.MACHINEN_QEMU || "qemu-system-x86_64";
  const places = name.includes("/")
    ? [name]
    : (env.PATH ?? "").split(delimiter).map((dir) => join(dir, name));
  return places.find(isExecutableFile);
}

function kvmIsThere(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

let processorName: string | undefined;

export interface TemplateRequest
  extends Pick<
    TemplateInputs,
    "kernel" | "image" | "root" | "diskBytes" | "mountBytes" | "scratchBytes" | "memoryMib" | "vmm"
  > {
  /** The environment the VMM will have. */
  env: NodeJS.ProcessEnv;
}

/** Read what the request names. Undefined when something of it is missing: a cold boot will say what. */
export function readInputs(request: TemplateRequest): TemplateInputs | undefined {
  const qemu = findQemu(request.env);
  if (qemu === undefined) return undefined;
  const { initPath, modules } = initramfsInputs();
  processorName ??= cpus()[0]?.model ?? "";
  return {
    kernel: contentDigest(request.kernel),
    initramfs: contentDigest(initPath, ...modules),
    image: contentDigest(request.image),
    root: request.root,
    diskBytes: request.diskBytes,
    mountBytes: request.mountBytes,
    scratchBytes: request.scratchBytes,
    memoryMib: request.memoryMib,
    vmm: contentDigest(request.vmm),
    // The whole program stands for its version: a distribution may patch it without a new number.
    qemu: contentDigest(realpathSync(qemu)),
    tuning: Object.fromEntries(
      TUNING.filter((name) => name !== "MACHINEN_QEMU").flatMap((name) => {
        const value = request.env[name];
        return value ? [[name, value]] : [];
      }),
    ),
    processor: processorName,
    kvm: kvmIsThere(),
  };
}
