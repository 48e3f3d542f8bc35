export { Attachment, type AttachmentOptions } from "./attachment.ts";
export { DETACH_HOLD_MS, DetachKey, type DetachKeyResult } from "./detach-key.ts";
export { bootPty, type PtyBootOptions, type PtyVmHandle } from "./pty.ts";
export {
  type OnOutputListener,
  type SandboxEntry,
  Sandboxes,
  type SandboxStreams,
} from "./sandboxes.ts";
export { Supervisor, type SupervisorCommand, type SupervisorOptions } from "./supervisor.ts";
