/** Every code an error of this package can carry: the one list that type and value come from. */
const CODES = [
  "BOOT_VMM_MISSING",
  "BOOT_VMM_PACKAGE_BROKEN",
  "BOOT_IMAGE_NOT_FOUND",
  "BOOT_SNAPSHOT_NOT_FOUND",
  "BOOT_SNAPSHOT_INVALID",
  "BOOT_SNAPSHOT_IN_USE",
  "BOOT_KERNEL_NOT_FOUND",
  "BOOT_DTB_NOT_FOUND",
  "BOOT_CMD_WITHOUT_IMAGE",
  "BOOT_CMD_MISSING",
  "BOOT_CWD_INVALID",
  "BOOT_MOUNT_INVALID",
  "BOOT_MOUNT_HOST_NOT_FOUND",
  "BOOT_LIVE_MOUNT_OVERRIDE_UNKNOWN",
  "BOOT_PORT_FORWARD_INVALID",
  "BOOT_PORT_FORWARD_CONFLICT",
  "BOOT_PORT_FORWARD_NO_GVPROXY",
  "BOOT_PORT_FORWARD_IN_USE",
  "BOOT_PACK_FAILED",
  "BOOT_TIMEOUT",
  "BOOT_DETACHED_READINESS_FAILED",
  "BOOT_MEMORY_INVALID",
  "BOOT_CPUS_INVALID",
  "FORK_MEMORY_BACKPRESSURE",
  "BOOT_MOUNTDISK_TOOL_MISSING",
  "EXEC_VSOCK_UNAVAILABLE",
  "EXEC_AGENT_UNAVAILABLE",
  "EXEC_AGENT_TIMEOUT",
  "EXEC_NONZERO_EXIT",
  "EXEC_PROTOCOL",
  "SNAPSHOT_NO_DISK",
  "SNAPSHOT_DUMP_FAILED",
  "SNAPSHOT_TIMEOUT",
  "PROVISION_BASE_NOT_FOUND",
  "PROVISION_KERNEL_NOT_FOUND",
  "PROVISION_DTB_NOT_FOUND",
  "PROVISION_ASSETS_DIR_INVALID",
  "PROVISION_INSTALL_HOOK_FAILED",
  "PROVISION_DISK_TOO_SMALL",
  "ROOTFS_IMG_TOOL_MISSING",
  "REGISTRY_VM_NOT_FOUND",
  "REGISTRY_NAME_IN_USE",
  "FILES_HOST_DIR_NOT_FOUND",
  "FILES_AGENT_UNAVAILABLE",
  "FILES_TRANSFER_FAILED",
  "MOUNT_PATH_INVALID",
  "MOUNT_PATH_ESCAPE",
  "MOUNT_SERVER_BIN_MISSING",
  "MOUNT_SERVER_SPAWN_FAILED",
  "SECRETS_VALUE_INVALID",
  "SECRETS_AGENT_UNAVAILABLE",
  "WINSIZE_AGENT_UNAVAILABLE",
  "SANDBOX_ID_DUPLICATE",
  "SANDBOX_ID_UNKNOWN",
  "CACHE_BIND_FAILED",
  "GVPROXY_NOT_FOUND",
  "GVPROXY_EXPOSE_FAILED",
  "GVPROXY_PORT_IN_USE",
  "GVPROXY_INSTALL_FAILED",
  "GVPROXY_SPAWN_FAILED",
  "MKINITRAMFS_BUNDLE_INVALID",
  "MKINITRAMFS_WORKSPACE_INVALID",
  "MKINITRAMFS_WORKSPACE_TOO_LARGE",
  "MKINITRAMFS_BASE_EXTRACT_FAILED",
  "MKINITRAMFS_INIT_MISSING",
  "PARSE_FLAG_UNKNOWN",
  "PARSE_FLAG_MISSING_VALUE",
  "PARSE_FLAG_DUPLICATE",
  "PARSE_FLAG_MALFORMED",
  "PARSE_PORT_INVALID",
] as const;

export type ErrorCode = (typeof CODES)[number];

/** The codes as values, so that callers compare with `ErrorCode.BOOT_TIMEOUT`, not with a string. */
export const ErrorCode = Object.freeze(Object.fromEntries(CODES.map((code) => [code, code]))) as {
  readonly [Code in ErrorCode]: Code;
};

export interface MachinenErrorOptions {
  /** True when the same call may succeed if it is simply made again. Default false. */
  retryable?: boolean;
  /** What went wrong underneath; becomes `Error.cause`. */
  cause?: unknown;
}

/** Base of every error this package throws on purpose. */
export class MachinenError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, opts: MachinenErrorOptions = {}) {
    super(message, "cause" in opts ? { cause: opts.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.retryable = opts.retryable ?? false;
  }
}

/** A machine could not be started, or did not come up or end as asked. */
export class BootError extends MachinenError {}
/** A command could not be run in a guest, or failed. */
export class ExecError extends MachinenError {}
/** A machine could not be saved or forked. */
export class SnapshotError extends MachinenError {}
/** An image could not be made, or what it is made from is missing. */
export class ProvisionError extends MachinenError {}
/** No such machine, or its name is taken. */
export class RegistryError extends MachinenError {}
/** Files could not be moved into or out of a guest. */
export class FilesError extends MachinenError {}
/** Kept for programs that name it: mounts are refused with a `BootError`. */
export class MountError extends MachinenError {}
/** Secrets could not be handed to a guest. */
export class SecretsError extends MachinenError {}
/** The window size service of a guest could not be reached. */
export class WinsizeError extends MachinenError {}
/** No sandbox of that id, or one too many. */
export class SandboxError extends MachinenError {}
/** Kept for programs that name it; see docs/errors.md. */
export class CacheError extends MachinenError {}
/** Kept for programs that name it; see docs/errors.md. */
export class GvproxyError extends MachinenError {}
/** An initramfs archive could not be packed. */
export class MkinitramfsError extends MachinenError {}
/** A command line or a name could not be understood. */
export class ParseError extends MachinenError {}

/** Programs were promised either class for a command of `exec()` that failed: `instanceof` knows both. */
Object.defineProperty(BootError, Symbol.hasInstance, {
  value(this: unknown, error: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, error)) return true;
    return this === BootError && error instanceof ExecError && error.code === "EXEC_NONZERO_EXIT";
  },
});

const KNOWN: ReadonlySet<unknown> = new Set(CODES);

/**
 * Whether `err` is one of ours and, when given, carries exactly `code`.
 * Goes by shape as well as by class: two copies of the package may be loaded in one program.
 */
export function isMachinenError(err: unknown, code?: ErrorCode): err is MachinenError {
  if (!(err instanceof Error)) return false;
  const { code: actual, retryable } = err as Partial<MachinenError>;
  if (!(err instanceof MachinenError) && !(KNOWN.has(actual) && typeof retryable === "boolean")) {
    return false;
  }
  return code === undefined || actual === code;
}

/** Causes shown at most: a chain may be a ring. */
const MAX_CAUSES = 10;

/** `CODE: message`, then one indented line for each cause. */
export function formatMachinenError(err: MachinenError): string {
  const lines = [`${err.code}: ${err.message}`];
  const seen = new Set<unknown>([err]);
  let cause = err.cause;
  let said = err.message;
  while (cause !== undefined && cause !== null && !seen.has(cause) && lines.length <= MAX_CAUSES) {
    const message = cause instanceof Error ? cause.message : undefined;
    // An error passed on under another code has nothing to add.
    if (message !== said) lines.push(`  caused by: ${describe(cause)}`);
    said = message ?? said;
    seen.add(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines.join("\n");
}

function describe(cause: unknown): string {
  if (isMachinenError(cause)) return `${cause.code}: ${cause.message}`;
  if (cause instanceof Error) return cause.message || cause.name;
  return String(cause);
}
