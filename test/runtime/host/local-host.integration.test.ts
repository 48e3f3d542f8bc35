import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { vmmStatus } from "../../../src/runtime/control/vmm-control.ts";
import type { MachineInfo } from "../../../src/runtime/host/host.ts";
import { createLocalHost } from "../../../src/runtime/host/local-host.ts";
import { identify, isRunning } from "../../../src/runtime/machine/process-identity.ts";
import { readEntry } from "../../../src/runtime/registry/index.ts";
import { bases } from "../machine/bases.ts";
import { rejection, useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const host = createLocalHost();
afterAll(() => scratch.remove());

describe.each(bases)("a host with machines of the $name base", ({ hostOptions }) => {
  let first: MachineInfo;

  afterAll(async () => {
    for (const { id } of await host.list()) await host.stop(id, { graceMs: 0 });
    expect(scratch.runDirs()).toEqual([]);
  });

  test("boots a machine with a short name", async () => {
    expect(await host.list()).toEqual([]);
    first = await host.boot({ image: hostOptions.image });
    expect(first).toMatchObject({
      id: String(first.pid),
      name: "m1",
      state: "running",
      memoryMib: 512,
    });
    expect(await host.exec("m1", "hostname")).toEqual({ exitCode: 0, stdout: "m1\n", stderr: "" });
  });

  test("forks at once get names of their own, as children in the list", async () => {
    const forks = await Promise.all([host.fork(first.id), host.fork(first.id)]);
    expect(forks.map((fork) => fork.name).sort()).toEqual(["m1.1", "m1.2"]);
    const listed = await host.list();
    expect(listed.map((machine) => machine.name)).toContain("m1.2");
    for (const fork of forks) {
      expect(fork).toMatchObject({ parentPid: first.pid, parentName: "m1", state: "running" });
    }
    expect(listed[0]!.id).toBe(first.id);
    expect(listed.every((machine) => (machine.rssBytes ?? 0) > 0)).toBe(true);
  });

  test("several forks of one moment continue the series, also from a prepared machine", async () => {
    await host.prepareFork(first.id);
    const forks = await host.forkMany(first.id, 2);
    expect(forks.map((fork) => fork.name)).toEqual(["m1.3", "m1.4"]);
    for (const { id, parentPid, privateBytes, sharedBytes, rssBytes } of forks) {
      expect(parentPid).toBe(first.pid);
      expect(privateBytes! + sharedBytes!).toBe(rssBytes);
      expect(sharedBytes).toBeGreaterThan(0);
      await host.stop(id, { graceMs: 0 });
    }
    expect((await rejection(host.forkMany(first.id, 0))).code).toBe("PARSE_FLAG_MALFORMED");
    expect((await rejection(host.prepareFork("nobody"))).code).toBe("REGISTRY_VM_NOT_FOUND");
  });

  test("a session is joined from anywhere and shows what it showed", async () => {
    const open = () => {
      let screen = "";
      const add = (bytes: Buffer) => {
        screen += bytes.toString();
      };
      const session = host.openSession(first.id, {
        cols: 80,
        rows: 24,
        onReplay: (replay) => add(replay.bytes),
      });
      return { session, add, screen: () => screen };
    };
    const one = open();
    const session = await one.session;
    session.stdout.on("data", one.add);
    session.stdin.write("echo 6 times 7 is $((6*7))\n");
    await expect.poll(one.screen, { timeout: 60_000 }).toContain("times 7 is 42");
    expect(await host.listSessions(first.id)).toMatchObject([{ name: "main", clients: 1 }]);
    session.close();
    const two = open();
    const again = await two.session;
    again.stdout.on("data", two.add);
    await expect.poll(two.screen, { timeout: 60_000 }).toContain("times 7 is 42");
    again.close();
  });

  test("a snapshot goes to the snapshot root and comes back under its source's name", async () => {
    const { directory } = await host.snapshot("m1.1", { stop: true });
    expect((await host.listSnapshots())[0]).toMatchObject({ directory, sourceName: "m1.1" });
    expect((await host.list()).map((machine) => machine.name)).not.toContain("m1.1");
    const back = await host.restore(directory);
    expect(back).toMatchObject({ name: "m1.1", forkedFrom: directory });
    const second = await host.restore(directory);
    expect(second.name).toBe("m1.1.1");
  });

  test("stop powers off and leaves nothing of the machine", async () => {
    const entry = readEntry((await host.list()).find((m) => m.name === "m1.2")!.pid)!;
    const { qemuPid } = await vmmStatus(entry.controlPath!);
    const processes = [identify(entry.pid)!, identify(qemuPid!)!];
    await host.stop("m1.2");
    expect(processes.filter(isRunning)).toEqual([]);
    expect(existsSync(entry.runDir!)).toBe(false);
    expect((await rejection(host.stop("m1.2"))).code).toBe("REGISTRY_VM_NOT_FOUND");
  });

  test("a frozen VMM neither blocks the list nor its own end", async () => {
    const frozen = await host.fork(first.id, { name: "frozen" });
    process.kill(frozen.pid, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 100));
    const listed = await host.list();
    expect(listed.map((machine) => machine.name)).toContain("frozen");
    await host.stop(frozen.id, { graceMs: 200 });
    expect(identify(frozen.pid)).toBeUndefined();
  });

  test("says what it cannot find", async () => {
    for (const id of ["nobody", "999999999"]) {
      expect((await rejection(host.fork(id))).code).toBe("REGISTRY_VM_NOT_FOUND");
      expect((await rejection(host.exec(id, "true"))).code).toBe("REGISTRY_VM_NOT_FOUND");
    }
    const error = await rejection(host.restore(join(scratch.path, "none")));
    expect(error.code).toBe("BOOT_SNAPSHOT_NOT_FOUND");
    expect((await rejection(host.boot({ image: "/none.tar" }))).code).toBe("BOOT_IMAGE_NOT_FOUND");
    expect((await rejection(host.boot({ name: "m1" }))).code).toBe("REGISTRY_NAME_IN_USE");
  });
});
