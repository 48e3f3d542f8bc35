import {
  type GcResult,
  list,
  type PidStatus,
  type RegistryEntry,
  type RunGcOptions,
  registryRoot,
  runGc,
  validatePid,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const texts: string[];
declare const count: number;
declare const flag: boolean;

/** Who runs here, and what the dead left. Never run, only compiled. */
export const statements = {
  RegistryEntry(entry: RegistryEntry) {
    const known: {
      pid: number;
      socketPath: string;
      startedAt: number;
      name?: string;
      imagePath?: string;
      diskPath?: string;
      forkedFrom?: string;
      bootLogPath?: string;
      cleanupPaths?: string[];
      vmmExe?: string;
      gvproxyPid?: number;
      gvproxyExe?: string;
      portForward?: Array<{ hostPort: number; guestPort: number; hostAddr?: string }>;
      memoryCeilingMib?: number;
      statsPath?: string;
      lazyPagesTotal?: number;
      lazyPagesMountRoot?: string;
      mountDisk?: { guest: string; lowerPath: string; upperPath: string };
      liveMounts?: Array<{ guest: string; host: string; mode: "ro" | "rw" }>;
      liveMountServers?: Array<{ pid: number; exe: string }>;
    } = entry;
    const own: RegistryEntry[] = [known, { pid: count, socketPath: text, startedAt: count }];
    return own;
  },

  list() {
    const entries: RegistryEntry[] = list();
    return entries;
  },

  registryRoot() {
    const path: string = registryRoot();
    return path;
  },

  PidStatus(status: PidStatus) {
    const all: PidStatus[] = ["alive", "dead", "recycled"];
    const known: "alive" | "dead" | "recycled" = status;
    return [all, known];
  },

  validatePid() {
    const verdicts: PidStatus[] = [
      validatePid(count, {}),
      validatePid(count, { vmmExe: text, startedAt: count }),
    ];
    return verdicts;
  },

  GcResult(result: GcResult) {
    const known: {
      pid: number;
      name?: string;
      status: PidStatus;
      removedPaths: string[];
      failedPaths: string[];
      registryRemoved: boolean;
    } = result;
    const own: GcResult = {
      pid: known.pid,
      status: known.status,
      removedPaths: texts,
      failedPaths: texts,
      registryRemoved: flag,
    };
    return own;
  },

  RunGcOptions() {
    const all: RunGcOptions[] = [{}, { dryRun: flag, pid: count }];
    return all;
  },

  runGc() {
    const results: GcResult[] = [...runGc(), ...runGc({ dryRun: true })];
    return results;
  },
};
