import { execFileSync } from "node:child_process";
import { afterAll } from "vitest";

/**
 * An address of this host that is no loopback address, though nothing sent to it leaves the machine; undefined
 * where this user may not give the host one. It is taken back after the tests of the file.
 */
export function useOutsideAddress(): string | undefined {
  const address = `198.18.${process.pid & 255}.${((process.pid >> 8) & 127) + 1}`;
  const onHost = (verb: "add" | "del") =>
    execFileSync("ip", ["address", verb, `${address}/32`, "dev", "lo"], { stdio: "pipe" });
  try {
    onHost("add");
  } catch {
    return undefined;
  }
  afterAll(() => void onHost("del"));
  return address;
}

/** For the names of tests that need the address. */
export const NO_OUTSIDE_ADDRESS = " (skipped: only root can give this host an address to reach)";
