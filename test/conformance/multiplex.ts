import { PassThrough, type Readable, type Writable } from "node:stream";
import {
  _internal,
  bootPty,
  type OnOutputListener,
  type PtyBootOptions,
  type PtyVmHandle,
  type SandboxEntry,
  Sandboxes,
  Supervisor,
  type SupervisorOptions,
  type VmHandle,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const count: number;
declare const flag: boolean;
declare const vm: VmHandle;

/** Several machines on one terminal. Never run, only compiled. */
export const statements = {
  SandboxEntry(entry: SandboxEntry) {
    const known: { id: string; vm: VmHandle; scrollback: Buffer; readonly addedAt: number } = entry;
    const own: SandboxEntry = { id: known.id, vm, scrollback: Buffer.alloc(0), addedAt: count };
    own.scrollback = Buffer.from(text);
    return own;
  },

  OnOutputListener() {
    const listener: OnOutputListener = (chunk: Buffer, source: "stdout" | "stderr") =>
      chunk.toString() + source;
    listener(Buffer.from(text), "stderr");
  },

  Sandboxes() {
    const boxes: Sandboxes[] = [new Sandboxes(), new Sandboxes({ scrollbackBytes: count })];
    const box = boxes[0]!;
    box.add(text, vm);
    box.remove(text);
    const bytes: number = box.scrollbackBytes;
    const listed: Array<{ id: string; addedAt: number }> = box.list();
    const found: SandboxEntry | undefined = box.get(text);
    const sent: boolean[] = [box.send(text, text), box.send(text, Buffer.from(text))];
    const unsubscribe: () => void = box.onOutput(text, () => {});
    return [bytes, listed, found, sent, unsubscribe];
  },

  SupervisorOptions(sandboxes: Sandboxes) {
    const all: SupervisorOptions[] = [
      { sandboxes },
      {
        sandboxes,
        input: process.stdin,
        output: process.stdout,
        commandPrefix: text,
        rawTtyOnAttach: flag,
        forwardResize: flag,
      },
      { sandboxes, input: new PassThrough(), output: new PassThrough() },
    ];
    return all;
  },

  Supervisor(options: SupervisorOptions) {
    const supervisor = new Supervisor(options);
    const sandboxes: Sandboxes = supervisor.sandboxes;
    const run: Promise<void> = supervisor.run();
    supervisor.stop();
    supervisor.attach(text);
    supervisor.detach();
    return [sandboxes, run];
  },

  PtyBootOptions() {
    const all: PtyBootOptions[] = [
      { binary: text },
      { binary: text, env: {}, cwd: text, args: [text], cols: count, rows: count, name: text },
    ];
    return all;
  },

  async PtyVmHandle(handle: PtyVmHandle) {
    const pid: number = handle.pid;
    const streams: { stdin: Writable; stdout: Readable; stderr: Readable } = handle;
    const ended: { code: number | null; signal: NodeJS.Signals | null } = await handle.wait();
    handle.resize(count, count);
    const done: [Promise<void>, Promise<string>, Promise<string>] = [
      handle.kill(),
      handle.output(),
      handle.errorOutput(),
    ];
    const own: PtyVmHandle = {
      pid,
      ...streams,
      resize: () => {},
      wait: async () => ended,
      kill: async () => {},
      output: async () => text,
      errorOutput: async () => text,
    };
    return [done, own];
  },

  bootPty() {
    const handle: PtyVmHandle = bootPty({ binary: text });
    return handle;
  },

  _internal(stream: Readable) {
    const texts: Promise<string>[] = [
      _internal.collect(stream),
      _internal.collect(stream, _internal.CONSOLE_TAIL_BYTES satisfies number),
    ];
    const mib: number = _internal.validateMemoryMib(count);
    return [texts, mib];
  },
};
