import { expect, test } from "vitest";
import { nextForkName, nextMachineName } from "../../../src/runtime/host/default-names.ts";
import { bundleDirectoryName } from "../../../src/runtime/host/snapshot-store.ts";
import { hostnameFor } from "../../../src/runtime/machine/hostname.ts";

test("machines are numbered, forks below their source", () => {
  expect(nextMachineName(new Set())).toBe("m1");
  expect(nextMachineName(new Set(["m1", "m3"]))).toBe("m2");
  expect(nextForkName("m1", new Set(["m1", "m1.1"]))).toBe("m1.2");
  expect(nextForkName("m1.2", new Set())).toBe("m1.2.1");
  expect(nextForkName(undefined, new Set(["m1"]))).toBe("m2");
  expect(nextForkName("x".repeat(33), new Set())).toBe("m1");
});

test("a name makes a host name", () => {
  expect(hostnameFor("m1.1")).toBe("m1.1");
  expect(hostnameFor("worker/9012")).toBe("worker-9012");
  expect(hostnameFor("..Ünï\ncode--")).toBe("n-code");
  expect(hostnameFor("/")).toBe("machinen");
  expect(hostnameFor(undefined)).toBe("machinen");
  expect(hostnameFor("x".repeat(100)).length).toBe(63);
});

test("a bundle's directory tells machine and time and stays in its place", () => {
  const at = new Date(Date.UTC(2025, 0, 31, 12, 0, 0, 123));
  expect(bundleDirectoryName("m1.1", at)).toBe("m1.1-2025-01-31-120000-123");
  expect(bundleDirectoryName("../a/b", at)).not.toMatch(/^\.|\//);
});
