import { describe, expect, it } from "vitest";
import {
  BootError,
  CacheError,
  ErrorCode,
  ExecError,
  FilesError,
  formatMachinenError,
  GvproxyError,
  isMachinenError,
  MachinenError,
  MkinitramfsError,
  MountError,
  ParseError,
  ProvisionError,
  RegistryError,
  SandboxError,
  SecretsError,
  SnapshotError,
  WinsizeError,
} from "../../../src/runtime/errors.ts";

const CLASSES = {
  BootError,
  CacheError,
  ExecError,
  FilesError,
  GvproxyError,
  MkinitramfsError,
  MountError,
  ParseError,
  ProvisionError,
  RegistryError,
  SandboxError,
  SecretsError,
  SnapshotError,
  WinsizeError,
};

describe("errors", () => {
  it("names every code after itself and cannot be changed", () => {
    const entries = Object.entries(ErrorCode);
    expect(entries.length).toBe(70);
    for (const [key, value] of entries) expect(value).toBe(key);
    expect(Object.isFrozen(ErrorCode)).toBe(true);
  });

  it("carries code, retryable, cause and its class's name", () => {
    const cause = new Error("refused");
    const err = new ExecError(ErrorCode.EXEC_AGENT_UNAVAILABLE, "no agent", {
      retryable: true,
      cause,
    });
    expect(err).toBeInstanceOf(MachinenError);
    expect([err.code, err.retryable, err.cause, err.name]).toEqual([
      "EXEC_AGENT_UNAVAILABLE",
      true,
      cause,
      "ExecError",
    ]);
    const plain = new BootError("BOOT_TIMEOUT", "late");
    expect(plain.retryable).toBe(false);
    expect("cause" in plain).toBe(false);
  });

  it.each(Object.entries(CLASSES))("%s is a class of its own", (name, Class) => {
    const err = new Class("BOOT_TIMEOUT", "late");
    expect(err).toBeInstanceOf(Error);
    expect([err.name, err.constructor]).toEqual([name, Class]);
    const others = Object.values(CLASSES).filter((Other) => Other !== Class);
    expect(others.some((Other) => err instanceof Other)).toBe(false);
    expect(isMachinenError(err, "BOOT_TIMEOUT")).toBe(true);
  });

  it("takes a command that failed for a BootError too, and no other error of a command", () => {
    const failed = new ExecError("EXEC_NONZERO_EXIT", "the command ended with 3");
    expect([failed.name, failed instanceof ExecError, failed instanceof BootError]).toEqual([
      "ExecError",
      true,
      true,
    ]);
    expect(new ExecError("EXEC_AGENT_TIMEOUT", "long")).not.toBeInstanceOf(BootError);
    class OwnBootError extends BootError {}
    expect(failed).not.toBeInstanceOf(OwnBootError);
    expect(new OwnBootError("BOOT_TIMEOUT", "late")).toBeInstanceOf(BootError);
  });

  it("narrows by class and by code", () => {
    const err = new BootError("BOOT_TIMEOUT", "late");
    expect(isMachinenError(err)).toBe(true);
    expect(isMachinenError(err, "BOOT_TIMEOUT")).toBe(true);
    expect(isMachinenError(err, "BOOT_PACK_FAILED")).toBe(false);
    for (const other of [undefined, null, "BOOT_TIMEOUT", { code: "BOOT_TIMEOUT" }, new Error()]) {
      expect(isMachinenError(other)).toBe(false);
    }
    expect(isMachinenError(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe(false);
  });

  it("knows an error of another copy of the package", () => {
    const foreign = Object.assign(new Error("late"), { code: "BOOT_TIMEOUT", retryable: false });
    expect(isMachinenError(foreign, "BOOT_TIMEOUT")).toBe(true);
  });

  it("formats the code, the message and the chain of causes", () => {
    const root = new Error("ECONNREFUSED");
    const middle = new ExecError("EXEC_AGENT_UNAVAILABLE", "no agent", { cause: root });
    const top = new BootError("BOOT_TIMEOUT", "never ready", { cause: middle });
    expect(formatMachinenError(top)).toBe(
      "BOOT_TIMEOUT: never ready\n" +
        "  caused by: EXEC_AGENT_UNAVAILABLE: no agent\n" +
        "  caused by: ECONNREFUSED",
    );
  });

  it("ends on a ring of causes and shows odd ones", () => {
    const ring = new Error("ring");
    ring.cause = ring;
    expect(formatMachinenError(new BootError("BOOT_TIMEOUT", "a", { cause: ring }))).toBe(
      "BOOT_TIMEOUT: a\n  caused by: ring",
    );
    expect(formatMachinenError(new BootError("BOOT_TIMEOUT", "a", { cause: 7 }))).toContain(
      "caused by: 7",
    );
  });
});
