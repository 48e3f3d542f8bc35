import { PassThrough, Writable } from "node:stream";
import type {
  ExecResult,
  Host,
  HostBootOptions,
  MachineInfo,
  OpenSessionOptions,
  SessionHandle,
  SessionInfo,
  SnapshotInfo,
} from "../../../src/runtime/host/host.ts";
import { bootPty, type PtyVmHandle } from "../../../src/runtime/multiplex/index.ts";

const ringBytes = 1_048_576;

/** A shell on a PTY that outlives its clients, as the agent keeps it in a guest. */
class PtySession {
  readonly vm: PtyVmHandle;
  ended = false;
  /** What was written last, as it came; joined only when a client attaches. */
  private readonly ring: Buffer[];
  private ringLength: number;
  private readonly clients = new Set<PassThrough>();

  constructor(
    prompt: string,
    public cols: number,
    public rows: number,
    screen: Buffer = Buffer.alloc(0),
  ) {
    this.ring = [screen];
    this.ringLength = screen.length;
    this.vm = bootPty({
      binary: "/bin/bash",
      args: ["--norc", "--noprofile", "-i"],
      env: { PS1: `${prompt}$ `, HISTFILE: "", NODE_OPTIONS: "" },
      cols,
      rows,
    });
    this.vm.stdout.on("data", (chunk: Buffer) => this.output(chunk));
    void this.vm.wait().then(() => {
      this.ended = true;
    });
  }

  get screen(): Buffer {
    return Buffer.concat(this.ring);
  }

  attach(options: OpenSessionOptions): SessionHandle {
    const stdout = new PassThrough();
    const { cols, rows } = this;
    if (this.ringLength > 0) options.onReplay?.({ cols, rows, bytes: this.screen, again: false });
    this.clients.add(stdout);
    const resize = (newCols: number, newRows: number): void => {
      this.cols = newCols;
      this.rows = newRows;
      if (!this.ended) this.vm.resize(newCols, newRows);
    };
    resize(options.cols, options.rows);
    let close = (): void => {};
    const closed = new Promise<never>((_, reject) => {
      close = () => reject(new Error("closed"));
    });
    closed.catch(() => {});
    return {
      pid: this.vm.pid,
      stdin: new Writable({
        write: (chunk, _encoding, done) => {
          this.vm.stdin.write(chunk);
          done();
        },
      }),
      stdout,
      stderr: stdout,
      resize,
      wait: () => Promise.race([this.vm.wait(), closed]),
      close: () => {
        this.clients.delete(stdout);
        close();
      },
    };
  }

  private output(chunk: Buffer): void {
    this.ring.push(chunk);
    this.ringLength += chunk.length;
    while (this.ringLength > ringBytes) this.ringLength -= this.ring.shift()!.length;
    for (const client of this.clients) {
      if (client.write(chunk)) continue;
      this.vm.stdout.pause();
      client.once("drain", () => this.vm.stdout.resume());
    }
  }
}

interface PtyMachine {
  info: MachineInfo;
  main?: PtySession;
}

export interface PtyHostOptions {
  /** How long boot, fork and restore take. */
  delayMs?: number;
  /** What `snapshot` fails with. */
  snapshotError?: Error;
}

/** A host whose machines are local shells: every byte is real, no VM is needed. */
export class PtyHost implements Host {
  private readonly machines = new Map<string, PtyMachine>();
  private readonly snapshots: SnapshotInfo[] = [];
  /** Machines whose next fork was asked to be ready, in order. */
  readonly prepared: string[] = [];
  private readonly options: PtyHostOptions;
  private nextPid = 101;

  constructor(options: PtyHostOptions = {}) {
    this.options = options;
  }

  async list(): Promise<MachineInfo[]> {
    return [...this.machines.values()].map(({ info }) => ({ ...info }));
  }

  async boot(options: HostBootOptions = {}): Promise<MachineInfo> {
    await this.delay();
    return this.add({ name: options.name });
  }

  async fork(id: string, options: { name?: string } = {}): Promise<MachineInfo> {
    const source = this.find(id);
    await this.delay();
    const info = this.add({
      name: options.name,
      parentPid: source.info.pid,
      parentName: source.info.name,
    });
    const { main } = source;
    if (main) this.find(info.id).main = new PtySession("", main.cols, main.rows, main.screen);
    return info;
  }

  async forkMany(id: string, count: number): Promise<MachineInfo[]> {
    return Promise.all(Array.from({ length: count }, () => this.fork(id)));
  }

  async prepareFork(id: string): Promise<void> {
    this.find(id);
    this.prepared.push(id);
  }

  async snapshot(id: string): Promise<{ directory: string }> {
    if (this.options.snapshotError) throw this.options.snapshotError;
    const directory = `/snapshots/${this.find(id).info.name}`;
    this.snapshots.unshift({ directory, sourceName: this.find(id).info.name, takenAt: Date.now() });
    return { directory };
  }

  async restore(directory: string, options: { name?: string } = {}): Promise<MachineInfo> {
    await this.delay();
    const source = this.snapshots.find((snapshot) => snapshot.directory === directory)?.sourceName;
    return this.add({ name: options.name ?? this.free(`${source}.`), forkedFrom: directory });
  }

  async listSnapshots(): Promise<SnapshotInfo[]> {
    return this.snapshots;
  }

  async stop(id: string): Promise<void> {
    const { main } = this.find(id);
    this.machines.delete(id);
    if (main && !main.ended) await main.vm.kill();
  }

  async exec(): Promise<ExecResult> {
    throw new Error("not needed here");
  }

  async copyIn(): Promise<void> {
    throw new Error("not needed here");
  }

  async copyOut(): Promise<void> {
    throw new Error("not needed here");
  }

  async listSessions(): Promise<SessionInfo[]> {
    return [];
  }

  async openSession(id: string, options: OpenSessionOptions): Promise<SessionHandle> {
    const machine = this.find(id);
    if (!machine.main || machine.main.ended) {
      machine.main = new PtySession(machine.info.name ?? id, options.cols, options.rows);
    }
    return machine.main.attach(options);
  }

  /** Ends every shell. */
  async close(): Promise<void> {
    for (const id of [...this.machines.keys()]) await this.stop(id);
  }

  private add(more: Partial<MachineInfo>): MachineInfo {
    const pid = this.nextPid++;
    const info: MachineInfo = {
      id: String(pid),
      pid,
      state: "running",
      startedAt: Date.now(),
      memoryMib: 512,
      rssBytes: 90 * 1_048_576,
      ...more,
      name: more.name ?? this.free(more.parentName === undefined ? "m" : `${more.parentName}.`),
    };
    this.machines.set(info.id, { info });
    return info;
  }

  private free(stem: string): string {
    const taken = new Set([...this.machines.values()].map(({ info }) => info.name));
    let number = 1;
    while (taken.has(`${stem}${number}`)) number++;
    return `${stem}${number}`;
  }

  private find(id: string): PtyMachine {
    const machine = this.machines.get(id);
    if (!machine)
      throw Object.assign(new Error(`no machine ${id}`), { code: "REGISTRY_VM_NOT_FOUND" });
    return machine;
  }

  private async delay(): Promise<void> {
    const { delayMs } = this.options;
    if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}
