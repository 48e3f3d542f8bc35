import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentDigest } from "../../../src/runtime/images/index.ts";
import type { BootOptions } from "../../../src/runtime/machine/boot-options.ts";
import { isPlainBoot } from "../../../src/runtime/machine/choose-template.ts";
import { findQemu, type TemplateInputs, templateKey } from "../../../src/runtime/templates/key.ts";

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "mn-test-"));
  process.env.MACHINEN_CACHE_DIR = join(scratch, "cache");
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const inputs: TemplateInputs = {
  kernel: "k",
  initramfs: "i",
  image: "r",
  root: "ram",
  memoryMib: 512,
  vmm: "v",
  qemu: "q",
  tuning: {},
  processor: "p",
  kvm: false,
};

describe("the key of a template", () => {
  test("depends on every input and on nothing else", () => {
    const variants: Partial<TemplateInputs>[] = [
      { kernel: "k2" },
      { initramfs: "i2" },
      { image: "r2" },
      { root: "disk" },
      { diskBytes: 4096 },
      { scratchBytes: 4096 },
      { memoryMib: 513 },
      { vmm: "v2" },
      { qemu: "q2" },
      { tuning: { MACHINEN_CPUS: "2" } },
      { tuning: { MACHINEN_CMDLINE: "2" } },
      { processor: "p2" },
      { kvm: true },
    ];
    const keys = [inputs, ...variants.map((one) => ({ ...inputs, ...one }))].map(templateKey);
    expect(new Set(keys).size).toBe(variants.length + 1);
    expect(templateKey({ ...inputs, diskBytes: undefined })).toBe(keys[0]);
    expect(templateKey(Object.fromEntries(Object.entries(inputs).reverse()) as never)).toBe(
      keys[0],
    );
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe("the digest of contents", () => {
  test("changes with contents and names, not with times", () => {
    const [a, b] = [join(scratch, "a"), join(scratch, "b")];
    writeFileSync(a, "one");
    writeFileSync(b, "two");
    const digest = contentDigest(a, b);
    expect(contentDigest(b, a)).not.toBe(digest);
    expect(contentDigest(a)).not.toBe(digest);
    utimesSync(a, 1, 1);
    expect(contentDigest(a, b)).toBe(digest);
    writeFileSync(a, "0ne");
    expect(contentDigest(a, b)).not.toBe(digest);
  });
});

describe("QEMU", () => {
  test("is looked for where the VMM will look", () => {
    const qemu = join(scratch, "qemu-system-x86_64");
    writeFileSync(qemu, "", { mode: 0o755 });
    expect(findQemu({ PATH: `/nowhere:${scratch}` })).toBe(qemu);
    expect(findQemu({ MACHINEN_QEMU: qemu, PATH: "" })).toBe(qemu);
    expect(findQemu({ PATH: "/nowhere" })).toBeUndefined();
    expect(findQemu({ MACHINEN_QEMU: scratch })).toBeUndefined();
  });
});

describe("a boot that can start from a template", () => {
  const image = "tiny";
  test("is one of our own VMM that nobody takes over", () => {
    expect(isPlainBoot({ image }, {})).toBe(true);
    expect(isPlainBoot({ image, rootDisk: false, memory: 64, env: { A: "b" } }, {})).toBe(true);
    expect(isPlainBoot({ image, vmmEnv: { MACHINEN_CPUS: "2", TMPDIR: "/x" } }, {})).toBe(true);
  });
  test.each<BootOptions>([
    {},
    { image, template: false },
    { image, binary: "/bin/cat" },
    { image, args: ["run"] },
    { image, dtb: "/x" },
    { image, rootDisk: "/disk.img" },
    { image, vmmEnv: { MACHINEN_KERNEL: "/x" } },
    { image, vmmEnv: { MACHINEN_INITRD: "/x" } },
    { image, vmmEnv: { MACHINEN_INCOMING: "bundle:/x" } },
  ])("not %j", (opts) => {
    expect(isPlainBoot(opts, {})).toBe(false);
  });
  test("nor any with MACHINEN_TEMPLATES=0", () => {
    expect(isPlainBoot({ image }, { MACHINEN_TEMPLATES: "0" })).toBe(false);
    expect(isPlainBoot({ image, template: true }, { MACHINEN_TEMPLATES: "0" })).toBe(false);
  });
});
