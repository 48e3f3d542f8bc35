import { ExecError } from "../../../src/runtime/errors.ts";
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
import { LocalSession } from "../../../src/runtime/multiplex/local-session.ts";

function startShell(prompt: string, cols: number, rows: number, screen?: Buffer): LocalSession {
  const options = {
    binary: "/bin/bash",
    args: ["--norc", "--noprofile", "-i"],
    env: { PS1: `${prompt}$ `, HISTFILE: "", NODE_OPTIONS: "" },
    cols,
    rows,
  };
  return new LocalSession(options, screen);
}

interface PtyMachine {
  info: MachineInfo;
  main?: LocalSession;
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

  /** Local shells share one file system: nothing to compare. */
  async compare(): Promise<never> {
    throw new ExecError("EXEC_AGENT_UNAVAILABLE", "a local shell has no agent");
  }

  async readFile(): Promise<undefined> {
    return undefined;
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
    if (main) this.find(info.id).main = startShell("", main.cols, main.rows, main.screen);
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

  async rename(id: string, name: string): Promise<void> {
    this.find(id).info.name = name;
  }

  async stop(id: string): Promise<void> {
    const { main } = this.find(id);
    this.machines.delete(id);
    if (main && !main.ended) await main.pty.kill();
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
      machine.main = startShell(machine.info.name ?? id, options.cols, options.rows);
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
