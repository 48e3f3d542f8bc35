/** Which of the two machines. */
export type Side = "a" | "b";

/** One of the two machines. */
export interface ComparedMachine {
  pid: number;
  name?: string;
}

/** What a path is. */
export type FileType =
  | "file"
  | "directory"
  | "symlink"
  | "character device"
  | "block device"
  | "fifo"
  | "socket";

export interface FileState {
  type: FileType;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes. */
  size: number;
  /** ms since the epoch, by the guest's clock. */
  modifiedAt: number;
  /** Where a symlink leads. */
  target?: string;
}

/** What of a file can differ. */
export type FileAspect = "type" | "content" | "mode" | "owner" | "target";

export interface FileDifference {
  path: string;
  /** As seen from a: what b has more, less or otherwise. */
  change: "added" | "removed" | "changed";
  /** Whose file was touched since the fork; absent when the two have no fork in common. */
  touchedBy?: Side | "both";
  /** For `changed`. */
  aspects: FileAspect[];
  a?: FileState;
  b?: FileState;
}

export interface ProcessDifference {
  /** Where it runs; the other machine does not have it. */
  only: Side;
  pid: number;
  parentPid: number;
  uid: number;
  name: string;
  /** Arguments joined by spaces; empty for what hides them. */
  command: string;
}

export interface SessionDifference {
  name: string;
  /** Where it runs, when the other machine has no session of this name. */
  only?: Side;
  /** Variables that are not the same; one that is absent is not set. */
  environment: { name: string; a?: string; b?: string }[];
  /** Exit status of the last command of the session's shell, where the two differ and the shell says so. */
  lastStatus?: { a?: number; b?: number };
}

export interface MachineDifference {
  a: ComparedMachine;
  b: ComparedMachine;
  /** ms since the epoch: the last moment they had in common, when that is known. */
  since?: number;
  files: FileDifference[];
  /** Paths the guests could not look into, e.g. because they are too deep. */
  unread: { side: Side; path: string }[];
  processes: ProcessDifference[];
  sessions: SessionDifference[];
}
