import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readHostRssBytes } from "../../src/runtime/memory/index.ts";
import { type Machine, makeInitramfs, until, Machine as Vmm } from "./machine.ts";
import { saveBooted, useMachines } from "./use-machines.ts";

const MIB = 1024 * 1024;
const MEMORY = 256;
const LIMIT = 128;

describe("a machine with less memory than the one it is made from", () => {
  const { scratch, keep } = useMachines();
  let saved: string;
  let source: Machine;

  beforeAll(async () => {
    saved = await saveBooted(scratch.path, makeInitramfs(scratch.path), "true", {
      // One of the tests writes to a device's registers.
      MACHINEN_CMDLINE: "iomem=relaxed",
    });
    source = Vmm.template(scratch.path, saved);
    await source.run("true");
  });
  afterAll(() => source.quit());

  /** When the balloon has come to rest, as it must; a guest that was held up is looked at again. */
  const settled = (machine: Machine, limit: "none" | "reached" | "short") =>
    until(
      `the balloon: ${limit}`,
      async () => {
        const status = await machine.control("status");
        return status.limit === limit ? status : undefined;
      },
      60_000,
    );
  /** Of this moment: it runs when this resolves. */
  const limited = async (limit = LIMIT) => {
    const fork = keep(source.fork(scratch.path, { MACHINEN_MEMORY_LIMIT: String(limit) }));
    await fork.run("true");
    return fork;
  };
  const inflated = (machine: Machine) =>
    Number(readFileSync(machine.path("stats")).readBigUInt64LE(8));
  const totalKib = async (machine: Machine) =>
    Number(/MemTotal:\s+(\d+)/.exec(await machine.run("cat /proc/meminfo"))![1]);

  test("gets no more than that; the source keeps all it has", async () => {
    const before = await totalKib(source);
    const fork = await limited();
    const held = readHostRssBytes(fork.process.pid!)!;
    expect(await settled(fork, "reached")).toMatchObject({
      memoryMib: MEMORY,
      ceilingMib: LIMIT,
    });
    expect(inflated(fork)).toBe((MEMORY - LIMIT) * MIB);
    expect(await totalKib(fork)).toBe(before - (MEMORY - LIMIT) * 1024);
    // What is in the balloon is nobody's memory: the host has it back.
    expect(readHostRssBytes(fork.process.pid!)! - held).toBeLessThan(((MEMORY - LIMIT) * MIB) / 2);
    // More than it may have: a program that wants that ends, and the machine goes on.
    expect((await fork.exec(`dd if=/dev/zero of=/dev/null bs=${LIMIT}M count=1`)).code).not.toBe(0);
    expect((await settled(fork, "reached")).ceilingMib).toBe(LIMIT);
    expect(await totalKib(source)).toBe(before);
    expect(await source.control("status")).toMatchObject({ ceilingMib: MEMORY, limit: "none" });
  });

  test("what the guest uses stays; what it frees later goes", async () => {
    await source.run(
      "head -c 1000000 /dev/urandom > /tmp/one; for i in $(seq 80); do cat /tmp/one; done > /tmp/used; " +
        "sleep 1000 > /dev/null 2>&1 &",
    );
    const sum = await source.run("md5sum /tmp/used; pidof sleep");
    const fork = await limited();
    await source.run("rm /tmp/used; kill $(pidof sleep)");
    const tight = await settled(fork, "short");
    expect(tight.ceilingMib).toBeGreaterThan(LIMIT);
    expect(tight.ceilingMib).toBeLessThan(MEMORY);
    expect(await fork.run("md5sum /tmp/used; pidof sleep")).toBe(sum);
    await fork.run("rm /tmp/used");
    const status = () => fork.control("status");
    await until("the limit", async () => (await status()).limit === "reached", 60_000);
    expect((await status()).ceilingMib).toBe(LIMIT);
  });

  test("a fork and a bundle of it keep the limit; another one may be set", async () => {
    const fork = await limited();
    await settled(fork, "reached");
    const small = await totalKib(fork);
    const saved = fork.save(join(scratch.path, "limited"));
    const bundle = { MACHINEN_INCOMING: `bundle:${saved}` };
    const copies = [
      keep(fork.fork(scratch.path)),
      keep(new Vmm(scratch.path, bundle)),
      keep(new Vmm(scratch.path, { ...bundle, MACHINEN_MEMORY_LIMIT: "160" })),
    ];
    for (const [i, copy] of copies.entries()) {
      await copy.run("true");
      const more = i === 2 ? 32 : 0;
      const status = await settled(copy, more ? "reached" : "none");
      expect(status.ceilingMib).toBe(LIMIT + more);
      expect(await totalKib(copy)).toBe(small + more * 1024);
    }
    const second = keep(copies[0]!.fork(scratch.path));
    expect(await totalKib(second)).toBe(small);
    expect((await second.control("status")).ceilingMib).toBe(LIMIT);
  });

  test("a copy made on the way there has what its source had then, and goes no further", async () => {
    const fork = await limited(112);
    await until("it to begin", async () => (await fork.control("status")).ceilingMib !== MEMORY);
    const copy = keep(fork.fork(scratch.path));
    await copy.run("true");
    const { ceilingMib } = await copy.control("status");
    await settled(fork, "reached");
    const later = await copy.control("status");
    expect(Math.abs(Number(later.ceilingMib) - Number(ceilingMib))).toBeLessThan(8);
  });

  test("more than the source has changes nothing", async () => {
    const fork = await limited(1024);
    expect(await settled(fork, "reached")).toMatchObject({ ceilingMib: MEMORY });
    expect(await totalKib(fork)).toBe(await totalKib(source));
  });

  test("a guest without a balloon keeps all its memory; one that lies is not believed", async () => {
    const find =
      "cd /sys/bus/virtio/devices; for i in *; do [ $(cat $i/device) = 0x0005 ] && break; done";
    const driver = "/sys/bus/virtio/drivers/virtio_balloon";
    await source.run(`${find}; echo $i > ${driver}/unbind`);
    const fork = await limited();
    await source.run(`${find}; echo $i > ${driver}/bind`);
    const status = () => fork.control("status");
    expect(await settled(fork, "short")).toMatchObject({ ceilingMib: MEMORY });
    // It writes the device's register itself: so many pages are in the balloon.
    const actual =
      "0x$(grep -m 1 $(basename $(dirname $(readlink $i))) /proc/iomem | cut -d - -f 1)+0x104";
    await fork.run(`${find}; devmem $((${actual})) 32 ${((MEMORY - LIMIT) * MIB) / 4096}`);
    await until("its claim", async () => (await status()).ceilingMib === LIMIT);
    await fork.run(
      `mount -t tmpfs -o size=90% none /mnt; head -c ${LIMIT * MIB} /dev/zero > /mnt/used`,
    );
    await until("the truth", async () => (await status()).ceilingMib === MEMORY);
    expect(inflated(fork)).toBe(0);
  });
});
