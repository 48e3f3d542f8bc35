export type {
  ForkManyOptions,
  ForkOptions,
  RestoreOptions,
  SnapshotMeta,
  SnapshotOptions,
  SnapshotResult,
} from "./options.ts";
export { restore } from "./restore.ts";
