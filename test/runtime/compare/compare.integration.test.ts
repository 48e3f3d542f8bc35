import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { compare } from "../../../src/runtime/compare/index.ts";
import { attach } from "../../../src/runtime/machine/attach.ts";
import { boot } from "../../../src/runtime/machine/boot.ts";
import type { VmHandle } from "../../../src/runtime/machine/vm-handle.ts";
import { list } from "../../../src/runtime/registry/index.ts";
import { bases } from "../machine/bases.ts";
import { rejection, useScratch } from "../machine/scratch.ts";
import { typeLine } from "../machine/type-line.ts";

const scratch = useScratch();
const patience = { timeout: 60_000, interval: 100 };

afterAll(async () => {
  for (const { pid } of list()) await (await attach({ pid })).kill();
  scratch.remove();
});

describe.each(bases)("a machine and its fork ($name)", ({ options }) => {
  let parent: VmHandle;
  let fork: VmHandle;

  beforeAll(async () => {
    parent = await boot({ ...options, name: "source" });
    await parent.exec("echo one >/root/kept; echo one >/root/gone; echo one >/root/edited");
    await typeLine(parent, "export SAME=1 CHANGED=before", "133;A");
    fork = await parent.fork({ name: "copy" });
  });
  afterAll(async () => {
    for (const vm of [fork, parent]) await vm?.kill();
  });

  test("do not differ at first", async () => {
    // What was about to end when the fork was made does so in both, in its own time.
    const same = async () =>
      expect(await compare(parent.pid, fork.pid)).toMatchObject({
        a: { name: "source" },
        b: { name: "copy" },
        files: [],
        processes: [],
        sessions: [],
        unread: [],
      });
    await vi.waitFor(same, patience);
  });

  test("differ in what either did since", async () => {
    await fork.exec("echo two >/root/edited; rm /root/gone; touch /root/kept; chmod 711 /root");
    await fork.exec(`printf 'new' > '/root/with\nnewline and '"'"'quote'`);
    await fork.exec("sleep 1234 >/dev/null 2>&1 </dev/null &");
    await parent.exec("echo mine >/tmp/mine");
    await typeLine(fork, "export CHANGED='after x'; (exit 3)", "133;D;3");
    const difference = await vi.waitFor(async () => {
      const found = await compare(parent.pid, fork.pid);
      expect(found.processes).toMatchObject([{ only: "b", command: "sleep 1234" }]);
      return found;
    }, patience);
    const files = difference.files.map(({ path, change, touchedBy, aspects }) => [
      path,
      change,
      touchedBy,
      ...aspects,
    ]);
    expect(files).toEqual([
      ["/root", "changed", "b", "mode"],
      ["/root/edited", "changed", "b", "content"],
      ["/root/gone", "removed", "b"],
      ["/root/with\nnewline and 'quote", "added", "b"],
      ["/tmp/mine", "removed", "a"],
    ]);
    expect(difference.sessions).toEqual([
      {
        name: "main",
        environment: [{ name: "CHANGED", a: "before", b: "after x" }],
        lastStatus: { a: 0, b: 3 },
      },
    ]);
  });

  test("that is no machine cannot be compared", async () => {
    expect(await rejection(compare(parent.pid, 1))).toMatchObject({
      code: "REGISTRY_VM_NOT_FOUND",
    });
  });
});
