import { expect, test } from "vitest";
import { BootError, formatMachinenError, ProvisionError } from "../../../src/runtime/errors.ts";

test("an error is shown with its code and its causes", () => {
  const cause = new ProvisionError("PROVISION_BASE_NOT_FOUND", "no base", {
    cause: new Error("ENOENT"),
  });
  const error = new BootError("BOOT_PACK_FAILED", "cannot pack", { cause });
  expect(formatMachinenError(error)).toBe(
    "BOOT_PACK_FAILED: cannot pack\n  caused by: PROVISION_BASE_NOT_FOUND: no base\n  caused by: ENOENT",
  );
});

test("a cause that says the same is left out, and a circle of causes ends", () => {
  const cause = new ProvisionError("PROVISION_BASE_NOT_FOUND", "no base");
  const error = new BootError("BOOT_IMAGE_NOT_FOUND", "no base", { cause });
  expect(formatMachinenError(error)).toBe("BOOT_IMAGE_NOT_FOUND: no base");
  cause.cause = error;
  expect(formatMachinenError(error)).toBe("BOOT_IMAGE_NOT_FOUND: no base");
});
