import type { ErrorCode } from "./errors.ts";

/** Codes of errors that only CLI and UI know, or that the system names. */
type OwnCode =
  | "COMMAND_UNKNOWN"
  | "COMMAND_ARGUMENT_INVALID"
  | "COMMAND_NOT_POSSIBLE"
  | "LOCAL_COMMAND_FAILED"
  | "TUI_NOT_RUNNING"
  | "TUI_AMBIGUOUS"
  | "NO_TERMINAL"
  | "ENOSPC"
  | "EACCES";

/** What a user can do about an error, where the error's own message cannot know. */
const nextSteps: Partial<Record<ErrorCode | OwnCode, string>> = {
  BOOT_VMM_MISSING: "in a checkout: node bin/setup.mjs; machinen doctor shows what is missing",
  BOOT_VMM_PACKAGE_BROKEN: "install machinen again; machinen doctor shows what is missing",
  BOOT_KERNEL_NOT_FOUND: "machinen install kernel",
  BOOT_IMAGE_NOT_FOUND: "machinen install tiny (or debian), or give the path of a rootfs tarball",
  BOOT_SNAPSHOT_NOT_FOUND: "machinen snapshot <target> writes a bundle to restore from",
  BOOT_SNAPSHOT_INVALID: "make the file with truncate -s 1G <file>, readable and writable by you",
  BOOT_SNAPSHOT_IN_USE: "stop the machine that has it (machinen ls), or give each one of its own",
  BOOT_TIMEOUT: "machinen doctor shows the accelerator in use; try again with more --memory",
  BOOT_DETACHED_READINESS_FAILED: "machinen doctor shows what is usable here",
  BOOT_MEMORY_INVALID: "give --memory in MiB, for example --memory 512",
  BOOT_CPUS_INVALID: "give --cpus as a small whole number, for example --cpus 2",
  BOOT_MOUNT_HOST_NOT_FOUND: "check the path: a mount needs a directory of this host",
  BOOT_MOUNT_INVALID:
    "mount a directory of this host at a place below /mnt/, for example .:/mnt/work",
  BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN: "give --live-mount the place of a live mount the machine has",
  BOOT_PORT_FORWARD_IN_USE: "publish another port; machinen ls shows the ports in use",
  BOOT_PORT_FORWARD_CONFLICT: "publish each port of the host once",
  BOOT_PACK_FAILED: "machinen install kernel tiny; machinen doctor shows what is missing",
  FORK_MEMORY_BACKPRESSURE: "stop a machine (machinen ls, machinen stop <target>), then fork again",
  EXEC_VSOCK_UNAVAILABLE: "machinen ls shows which machines are running",
  EXEC_AGENT_UNAVAILABLE: "machinen ls shows its state; machinen stop <target> ends it for certain",
  EXEC_AGENT_TIMEOUT: "machinen ls shows its state; machinen stop <target> ends it for certain",
  EXEC_PROTOCOL: "machinen ls shows whether the machine still runs",
  FILES_HOST_DIR_NOT_FOUND: "check the path here; machinen cp --help shows how paths are written",
  FILES_TRANSFER_FAILED: "machinen cp --help shows how paths are written",
  FILES_AGENT_UNAVAILABLE:
    "machinen ls shows its state; a machine from an older machinen must be booted again",
  SNAPSHOT_DUMP_FAILED: "check the free space of the directory (df -h), or give another one",
  SNAPSHOT_TIMEOUT: "check how fast and how full the directory's disk is (df -h)",
  PROVISION_BASE_NOT_FOUND:
    "machinen install debian (or tiny), or give the path of a rootfs tarball",
  PROVISION_KERNEL_NOT_FOUND: "machinen install kernel",
  PROVISION_INSTALL_HOOK_FAILED: "the build's log shows what it printed last",
  PROVISION_DISK_TOO_SMALL: "give a larger --size, or remove what the image does not need",
  ROOTFS_IMG_TOOL_MISSING: "install e2fsprogs (apt-get install e2fsprogs)",
  BOOT_MOUNTDISK_TOOL_MISSING: "install squashfs-tools (apt-get install squashfs-tools)",
  REGISTRY_VM_NOT_FOUND: "machinen ls shows what is running",
  REGISTRY_NAME_IN_USE: "choose another --name, or stop the machine that has it",
  COMMAND_UNKNOWN: "machinen tui --commands lists them",
  COMMAND_ARGUMENT_INVALID: "machinen tui --commands lists them with their arguments",
  COMMAND_NOT_POSSIBLE: "machinen tui ls shows what is there and what is selected",
  LOCAL_COMMAND_FAILED: "check the command after --local; --local bash opens a shell to try it in",
  TUI_NOT_RUNNING: "start one with machinen in another terminal",
  TUI_AMBIGUOUS: "add --pid with one of them",
  NO_TERMINAL: "machinen exec <target> -- <command> works without a terminal",
  ENOSPC: "make room on that disk (df -h), then try again",
  EACCES: "check the owner and mode of that path",
  MKINITRAMFS_INIT_MISSING: "in a checkout: node bin/setup.mjs",
};

export function nextStep(code: string): string | undefined {
  return nextSteps[code as ErrorCode | OwnCode];
}
