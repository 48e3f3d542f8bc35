import { describe, expect, test } from "vitest";
import type { BootError } from "../../../src/runtime/errors.ts";
import {
  guestLiveMounts,
  liveMountRecord,
  liveMountVariables,
  overrideLiveMounts,
  resolveLiveMounts,
  type SharedDirectory,
} from "../../../src/runtime/mounts/live-mounts.ts";

const recorded: SharedDirectory[] = [
  { guest: "/mnt/a", host: "/one", mode: "ro" },
  { guest: "/mnt/b", host: "/two", mode: "rw" },
];

describe("live mounts", () => {
  test("are read-write unless they say otherwise, with absolute paths", () => {
    expect(
      resolveLiveMounts(
        [
          { host: "x", guest: "/mnt//a/" },
          { host: "/y", guest: "/mnt/b", mode: "ro" },
        ],
        "/home",
      ),
    ).toEqual([
      { host: "/home/x", guest: "/mnt/a", mode: "rw" },
      { host: "/y", guest: "/mnt/b", mode: "ro" },
    ]);
  });

  test("the guest is told places and ports, the VMM directories and the same ports", () => {
    expect(guestLiveMounts(recorded)).toEqual([
      { guest: "/mnt/a", port: 2000, mode: "ro" },
      { guest: "/mnt/b", port: 2001, mode: "rw" },
    ]);
    const { MACHINEN_LIVE_MOUNTS } = liveMountVariables(recorded);
    expect(JSON.parse(MACHINEN_LIVE_MOUNTS!)).toEqual([
      { port: 2000, host: "/one", mode: "ro" },
      { port: 2001, host: "/two", mode: "rw" },
    ]);
    expect(liveMountVariables([])).toEqual({});
    expect(liveMountRecord([])).toEqual({});
  });

  test("an override moves a recorded one, keeps its place and, unless it says so, its mode", () => {
    expect(overrideLiveMounts(recorded, [{ guest: "/mnt/a/", host: "/else" }])).toEqual([
      { guest: "/mnt/a", host: "/else", mode: "ro" },
      recorded[1],
    ]);
    expect(
      overrideLiveMounts(recorded, [{ guest: "/mnt/b", host: "/else", mode: "ro" }])[1],
    ).toEqual({ guest: "/mnt/b", host: "/else", mode: "ro" });
    expect(overrideLiveMounts(recorded)).toEqual(recorded);
  });

  test("an override of nothing is refused; where nothing is recorded it is new", () => {
    const add = [{ guest: "/mnt/c", host: "/three" }];
    let code: string | undefined;
    try {
      overrideLiveMounts(recorded, add);
    } catch (error) {
      code = (error as BootError).code;
    }
    expect(code).toBe("BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN");
    expect(overrideLiveMounts(undefined, add)).toEqual(add);
  });
});
