import { expect, it } from "vitest";
import { nextStep } from "../../../src/runtime/next-step.ts";

it.each([
  ["BOOT_MOUNT_HOST_NOT_FOUND", /directory/],
  ["BOOT_MOUNT_INVALID", /\/mnt\//],
  ["BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN", /--live-mount/],
  ["BOOT_PORT_FORWARD_IN_USE", /another port/],
  ["EXEC_PROTOCOL", /machinen ls/],
  ["FILES_TRANSFER_FAILED", /cp --help/],
  ["PROVISION_BASE_NOT_FOUND", /install debian/],
  ["COMMAND_ARGUMENT_INVALID", /--commands/],
])("%s says what to do next", (code, advice) => {
  expect(nextStep(code)).toMatch(advice);
});
