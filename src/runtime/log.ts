/** A piece of output, as it arrived: neither split into lines nor decoded. */
export interface ChunkLogEvent {
  /** The guest's console, or one stream of a command run in the guest. */
  source: "guest-console" | "exec-stdout" | "exec-stderr";
  /** The command the chunk belongs to; absent for the console. */
  cmd?: string;
  chunk: Buffer;
}

/** How long the steps of one long operation took. */
export interface PhaseLogEvent {
  source: "phase";
  kind: "boot" | "provision" | "snapshot" | "restore";
  /** Step to milliseconds, in the order the steps ended. */
  phases: ReadonlyMap<string, number>;
  /** From the start of the operation to this event; more than the sum of the steps. */
  totalMs: number;
}

/** What `onLog` gets; `source` tells the two apart. */
export type LogEvent = ChunkLogEvent | PhaseLogEvent;
/** Called while things happen; must not throw. */
export type OnLog = (evt: LogEvent) => void;

/** Collects the steps of one operation and reports them as one event. */
export class PhaseTimer {
  private readonly startedAt = performance.now();
  private lastMark = this.startedAt;
  private readonly phases = new Map<string, number>();
  private flushed = false;

  constructor(
    private readonly kind: PhaseLogEvent["kind"],
    private readonly onLog?: OnLog,
  ) {}

  /** A step ended now: it took `ms`, or all the time since the step before it ended. */
  mark(name: string, ms?: number): void {
    const now = performance.now();
    const took = ms ?? now - this.lastMark;
    // A step inside another one is reported with its own figure and must not shorten the outer one.
    if (ms === undefined) this.lastMark = now;
    this.phases.set(name, (this.phases.get(name) ?? 0) + took);
  }

  /** Report once; later calls do nothing, so that it may stand in a `finally`. */
  flush(): void {
    if (this.flushed) return;
    this.flushed = true;
    this.onLog?.({
      source: "phase",
      kind: this.kind,
      phases: new Map(this.phases),
      totalMs: performance.now() - this.startedAt,
    });
  }
}
