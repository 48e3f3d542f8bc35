import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { withSmallDisk } from "../../vmm/small-disk.ts";
import { runInOtherProcess } from "./other-process.ts";
import { useScratch } from "./scratch.ts";

/** The runtime's own files on a disk without room: what it began is undone, and it says where room is needed. */
const scratch = useScratch();
const small = join(scratch.path, "small");
mkdirSync(small);
afterAll(() => scratch.remove());

test.each(["XDG_RUNTIME_DIR", "MACHINEN_REGISTRY_DIR"])(
  "a machine whose %s is on a full disk is not made, and leaves nothing there",
  async (variable) => {
    const { firstLine } = await runInOtherProcess(
      `import { readdirSync, statfsSync, writeFileSync } from "node:fs";
     import { childrenOf } from "./machine/process-identity.ts";
     import { boot } from "./machine/boot.ts";
     const small = ${JSON.stringify(small)};
     process.env.${variable} = small;
     // The directories are there, and not a block besides.
     await (await boot({ binary: "/bin/cat" })).kill();
     const { bsize, bavail } = statfsSync(small);
     writeFileSync(small + "/filler", Buffer.alloc(bsize * bavail, 1));
     const before = readdirSync(small, { recursive: true }).sort();
     const refusals = [];
     for (const name of [undefined, "no-room"]) {
       const { code, message } = await boot({ binary: "/bin/cat", name }).catch((error) => error);
       refusals.push({ code, message, children: childrenOf(process.pid).length });
     }
     const after = readdirSync(small, { recursive: true }).sort();
     console.log(JSON.stringify({ refusals, before, after }));`,
      (command) => withSmallDisk(small, 1, command),
    );
    const { refusals, before, after } = JSON.parse(firstLine);
    const refusal = { code: "ENOSPC", message: expect.stringContaining(small), children: 0 };
    expect(refusals).toEqual([refusal, refusal]);
    expect(after).toEqual(before);
  },
);
