export type {
  VsockExecPtyHandle,
  VsockExecPtyOptions,
  VsockExecPtyResult,
} from "./pty.ts";
export { VsockSecrets, type VsockSecretsOptions } from "./secrets.ts";
export { killSession, listSessions, openSession } from "./sessions.ts";
export {
  runWatched,
  VsockExec,
  type VsockExecOptions,
  type VsockExecResult,
} from "./vsock-exec.ts";
export { VsockWinsize, type VsockWinsizeOptions } from "./winsize.ts";
