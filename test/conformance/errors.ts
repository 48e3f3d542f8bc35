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
  type MachinenErrorOptions,
  MkinitramfsError,
  MountError,
  ParseError,
  ProvisionError,
  RegistryError,
  SandboxError,
  SecretsError,
  SnapshotError,
  WinsizeError,
} from "../../src/runtime/index.ts";

declare const text: string;

/** Every class of error is made, thrown, caught and read alike. */
function states(
  Class: new (code: ErrorCode, message: string, opts?: MachinenErrorOptions) => MachinenError,
) {
  return () => {
    const made: MachinenError[] = [
      new Class("BOOT_TIMEOUT", text),
      new Class(ErrorCode.BOOT_TIMEOUT, text, { retryable: true, cause: text }),
    ];
    const [read]: Array<{ code: ErrorCode; retryable: boolean; message: string; cause?: unknown }> =
      made;
    return read;
  };
}

/** Errors. Never run, only compiled. */
export const statements = {
  ErrorCode(code: ErrorCode) {
    const same: "PARSE_PORT_INVALID" = ErrorCode.PARSE_PORT_INVALID;
    const known: ErrorCode[] = [
      "BOOT_CMD_WITHOUT_IMAGE",
      ErrorCode.FORK_MEMORY_BACKPRESSURE,
      "GVPROXY_SPAWN_FAILED",
    ];
    const texts: string[] = Object.values(ErrorCode);
    const word: string = code;
    return [same, known, texts, word];
  },

  MachinenErrorOptions() {
    const all: MachinenErrorOptions[] = [{}, { retryable: false, cause: new Error(text) }];
    return all;
  },

  MachinenError: states(MachinenError),
  BootError: states(BootError),
  ExecError: states(ExecError),
  SnapshotError: states(SnapshotError),
  ProvisionError: states(ProvisionError),
  RegistryError: states(RegistryError),
  FilesError: states(FilesError),
  MountError: states(MountError),
  SecretsError: states(SecretsError),
  WinsizeError: states(WinsizeError),
  SandboxError: states(SandboxError),
  CacheError: states(CacheError),
  GvproxyError: states(GvproxyError),
  MkinitramfsError: states(MkinitramfsError),
  ParseError: states(ParseError),

  isMachinenError(caught: unknown) {
    if (isMachinenError(caught, "BOOT_TIMEOUT")) return caught.code;
    return isMachinenError(caught) ? caught.retryable : undefined;
  },

  formatMachinenError(error: MachinenError) {
    const said: string = formatMachinenError(error);
    return said;
  },
};
