import { PassThrough, type Readable, type Writable } from "node:stream";
import {
  type ChunkLogEvent,
  type LogEvent,
  type OnLog,
  type PhaseLogEvent,
  VsockExec,
  type VsockExecOptions,
  type VsockExecPtyHandle,
  type VsockExecPtyOptions,
  type VsockExecPtyResult,
  type VsockExecResult,
  VsockFiles,
  type VsockFilesOptions,
  VsockSecrets,
  type VsockSecretsOptions,
  VsockWinsize,
  type VsockWinsizeOptions,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const count: number;
declare const texts: string[];
declare const table: Record<string, string>;
declare const stdin: Readable;
declare const stdout: Writable;

/** What a guest serves, and what is logged of it. Never run, only compiled. */
export const statements = {
  VsockExecOptions() {
    const seen: Buffer[] = [];
    const all: VsockExecOptions[] = [
      {},
      { connectTimeoutMs: count, retryMs: count, execTimeoutMs: count },
      { execTimeoutMs: null },
      { onStdout: (chunk: Buffer) => seen.push(chunk), onStderr: (chunk) => seen.push(chunk) },
    ];
    const limit: number | null | undefined = all[0]?.execTimeoutMs;
    const listener: ((chunk: Buffer) => void) | undefined = all[0]?.onStdout;
    return [all, limit, listener];
  },

  VsockExecResult(result: VsockExecResult) {
    const { exitCode, ...printed }: { exitCode: number; stdout: string; stderr: string } = result;
    const own: VsockExecResult = { exitCode, ...printed };
    return own;
  },

  async VsockExec() {
    const result: VsockExecResult = await VsockExec.run(text, text);
    const handle: VsockExecPtyHandle = VsockExec.startPty(text, text, {
      cols: count,
      rows: count,
      stdin,
      stdout,
    });
    return [result, handle, VsockExec.run(text, text, { execTimeoutMs: count })];
  },

  VsockExecPtyOptions() {
    const stream = new PassThrough();
    const least: VsockExecPtyOptions = { cols: count, rows: count, stdin: stream, stdout: stream };
    const all: VsockExecPtyOptions = { ...least, connectTimeoutMs: count };
    return all;
  },

  async VsockExecPtyHandle(handle: VsockExecPtyHandle) {
    const { exitCode }: { exitCode: number } = await handle.result;
    handle.resize(count, count);
    handle.cancel();
    const own: VsockExecPtyHandle = {
      result: Promise.resolve({ exitCode }),
      resize: () => {},
      cancel: () => {},
    };
    return own;
  },

  VsockExecPtyResult(result: VsockExecPtyResult) {
    const own: VsockExecPtyResult = { exitCode: result.exitCode satisfies number };
    return own;
  },

  VsockWinsizeOptions() {
    const all: VsockWinsizeOptions[] = [{}, { timeoutMs: count, retryMs: count }];
    return all;
  },

  async VsockWinsize() {
    const channel: VsockWinsize = await VsockWinsize.connect(text);
    channel.send(count, count);
    channel.close();
    return VsockWinsize.connect(text, { timeoutMs: count });
  },

  VsockSecretsOptions() {
    const all: VsockSecretsOptions[] = [{}, { timeoutMs: count, retryMs: count }];
    return all;
  },

  VsockSecrets() {
    const sent: Promise<void>[] = [
      VsockSecrets.send(text, table),
      VsockSecrets.send(text, table, { retryMs: count }),
    ];
    return sent;
  },

  VsockFilesOptions() {
    const all: VsockFilesOptions[] = [{}, { timeoutMs: count, retryMs: count, excludes: texts }];
    return all;
  },

  VsockFiles() {
    const moved: Promise<void>[] = [
      VsockFiles.push(text, text, text),
      VsockFiles.push(text, text, text, { excludes: texts }),
      VsockFiles.pull(text, text, text),
      VsockFiles.pull(text, text, text, { timeoutMs: count }),
    ];
    return moved;
  },

  ChunkLogEvent(event: ChunkLogEvent) {
    const source: "guest-console" | "exec-stdout" | "exec-stderr" = event.source;
    const parts: { cmd?: string; chunk: Buffer } = event;
    const own: ChunkLogEvent = { source, chunk: parts.chunk };
    return own;
  },

  PhaseLogEvent(event: PhaseLogEvent) {
    const kind: "boot" | "provision" | "snapshot" | "restore" = event.kind;
    const phases: ReadonlyMap<string, number> = event.phases;
    const own: PhaseLogEvent = { source: "phase", kind, phases, totalMs: event.totalMs };
    return own;
  },

  /** The source tells the two kinds of event apart. */
  LogEvent(event: LogEvent) {
    return event.source === "phase" ? event.totalMs.toFixed(1) : event.chunk.toString("hex");
  },

  OnLog() {
    const seen: LogEvent[] = [];
    const listener: OnLog = (event) => seen.push(event);
    return listener({ source: "exec-stdout", cmd: text, chunk: Buffer.from(text) });
  },
};
