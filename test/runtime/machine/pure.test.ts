import { expect, test } from "vitest";
import { buildMachinenConfig } from "../../../src/runtime/machine/machinen-config.ts";
import { vmmEnvironment, vsockSocket } from "../../../src/runtime/machine/vmm-environment.ts";

test("the guest's configuration holds what was asked for and nothing else", () => {
  expect(buildMachinenConfig({ cmd: ["sh"], env: { A: "1" }, liveMounts: [] })).toEqual({
    cmd: ["sh"],
    env: { A: "1" },
  });
  const full = buildMachinenConfig({
    cmd: [],
    env: {},
    guestCwd: "/mine",
    imageCwd: "/theirs",
    hostname: "m1",
    rootdisk: true,
    liveMounts: [],
  });
  expect(full).toEqual({ env: {}, cwd: "/mine", hostname: "m1", rootdisk: true });
  expect(buildMachinenConfig({ cmd: ["a"], env: {}, imageCwd: "/theirs", liveMounts: [] })).toEqual(
    {
      cmd: ["a"],
      env: {},
      cwd: "/theirs",
    },
  );
});

test("the guest's configuration tells where live mounts go and by which port, not where they come from", () => {
  const share = { guest: "/mnt/a", port: 2000, mode: "ro" as const };
  const resolved = { ...share, host: "/srv/a", udsPath: "/run/a", statsPath: "/run/b" };
  const config = buildMachinenConfig({ cmd: [], env: {}, liveMounts: [resolved] });
  expect(config).toEqual({ env: {}, liveMounts: [share] });
});

test("a VMM's environment: inherited, then ours, then the caller's; never another machine's", () => {
  const inherited = { PATH: "/bin", MACHINEN_INCOMING: "fork:/x", MACHINEN_ACCEL: "tcg" };
  const variables = { MACHINEN_MEMORY: "512", MACHINEN_KERNEL: "/k", MACHINEN_DTB: undefined };
  expect(vmmEnvironment(inherited, variables, { MACHINEN_KERNEL: "/mine" })).toEqual({
    PATH: "/bin",
    MACHINEN_ACCEL: "tcg",
    MACHINEN_MEMORY: "512",
    MACHINEN_KERNEL: "/mine",
  });
});

test("the socket of a guest port", () => {
  expect(vsockSocket("in:1970:/a,in:1978:/b:c", 1978)).toBe("/b:c");
  expect(vsockSocket("in:19781:/a", 1978)).toBeUndefined();
  expect(vsockSocket(undefined, 1978)).toBeUndefined();
});
