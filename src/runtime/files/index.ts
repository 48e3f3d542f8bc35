export { type CopyOptions, copyIn, copyOut } from "./copy.ts";
export { VsockFiles, type VsockFilesOptions } from "./vsock-files.ts";
