import { describe, expect, test } from "vitest";
import { guestCommandLine } from "../../src/cli/guest-command.ts";
import { editDistance, nearest } from "../../src/cli/nearest.ts";
import { formatBytes, formatDuration, table } from "../../src/cli/output.ts";
import { findTarget } from "../../src/cli/target.ts";

describe("nearest", () => {
  test("counts edits, a swap as one", () => {
    expect(editDistance("fork", "fork")).toBe(0);
    expect(editDistance("frok", "fork")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("snapshot", "snapsho")).toBe(1);
  });

  test("suggests only what is close", () => {
    expect(nearest("snapshto", ["stop", "snapshot"])).toBe("snapshot");
    expect(nearest("zzz", ["stop", "snapshot"])).toBeUndefined();
    expect(nearest("x".repeat(100_000), ["stop"])).toBeUndefined();
    expect(nearest("x", [])).toBeUndefined();
  });
});

describe("the guest's command line", () => {
  test("is one word as it stands", () => {
    expect(guestCommandLine(["ps | wc -l"])).toBe("ps | wc -l");
  });

  test("keeps several words apart", () => {
    expect(guestCommandLine(["echo", "a b", "it's", "$HOME", ""])).toBe(
      `echo 'a b' 'it'\\''s' '$HOME' ''`,
    );
  });
});

describe("a guest command that begins with a dash", () => {
  test("is no option of the guest's shell", () => {
    expect(guestCommandLine(["--json", "echo hi"])).toBe(" --json 'echo hi'");
    expect(guestCommandLine(["--json"])).toBe(" --json");
  });
});

describe("output", () => {
  test("durations have at most two units", () => {
    expect(formatDuration(-5)).toBe("0s");
    expect(formatDuration(59_999)).toBe("59s");
    expect(formatDuration(3_600_000)).toBe("1h");
    expect(formatDuration(90_061_000)).toBe("1d 1h");
  });

  test("sizes", () => {
    expect(formatBytes(undefined)).toBe("?");
    expect(formatBytes(512 * 1024 ** 2)).toBe("512 MiB");
    expect(formatBytes(1.5 * 1024 ** 3)).toBe("1.5 GiB");
  });

  test("columns line up", () => {
    expect(
      table([
        ["A", "LONG"],
        ["abc", "x"],
      ]),
    ).toBe("A    LONG\nabc  x");
  });
});

describe("targets", () => {
  const machine = (pid: number, name?: string) => ({
    id: String(pid),
    pid,
    ...(name === undefined ? {} : { name }),
    state: "running" as const,
    startedAt: 0,
  });

  test("are names before they are pids", () => {
    const machines = [machine(10, "20"), machine(20, "web"), machine(30)];
    expect(findTarget(machines, "20").pid).toBe(10);
    expect(findTarget(machines, "web").pid).toBe(20);
    expect(findTarget(machines, "30").pid).toBe(30);
  });

  test("that are unknown fail with the nearest name", () => {
    expect(() => findTarget([machine(10, "web")], "wbe")).toThrow(/did you mean web/);
    expect(() => findTarget([], "030")).toThrowError(
      expect.objectContaining({ code: "REGISTRY_VM_NOT_FOUND" }),
    );
  });
});
