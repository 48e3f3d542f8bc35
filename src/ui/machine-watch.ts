import type { Host, MachineInfo } from "../runtime/host/host.ts";

const everyMs = 1000;
/** While nothing changes and the host would tell of it: for what it cannot tell. */
const seldomMs = 5000;
/** Changes come in company: for so long after one they are looked for as if nobody told of them. */
const companyMs = 3000;
/** A machine makes several changes when it comes. */
const togetherMs = 100;

export interface MachineWatchOptions {
  host: Host;
  /** Ask only now and then while nothing changes. Default: every second. */
  seldom?: boolean;
  onList(machines: MachineInfo[]): void;
  onError(error: unknown): void;
}

/** Asks the host who is there, when it tells of a change and else once in a while. */
export class MachineWatch {
  private readonly options: MachineWatchOptions;
  private timer: NodeJS.Timeout | undefined;
  private unwatch: (() => void) | undefined;
  private asking = false;
  /** The host has told of a change since we last asked. */
  private news = false;
  private epoch = 0;
  private companyUntil = Number.NEGATIVE_INFINITY;
  private failing = false;
  private stopped = false;

  constructor(options: MachineWatchOptions) {
    this.options = options;
  }

  /** Something we did has changed the list: an answer that is on its way may be older than that. */
  refresh(): void {
    this.companyUntil = performance.now() + companyMs;
    this.askAnew();
  }

  stop(): void {
    this.stopped = true;
    this.unwatch?.();
    this.unwatch = undefined;
    clearTimeout(this.timer);
  }

  start(): void {
    this.stopped = false;
    const { host, seldom } = this.options;
    if (seldom) this.unwatch ??= host.watch?.(() => this.told());
    this.askAnew();
  }

  private askAnew(): void {
    this.epoch++;
    if (!this.asking) void this.ask();
  }

  private told(): void {
    this.companyUntil = performance.now() + companyMs;
    if (this.news) return;
    this.news = true;
    if (!this.asking) this.askIn(togetherMs);
  }

  private askIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), ms);
  }

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    this.asking = true;
    this.news = false;
    const epoch = this.epoch;
    let machines: MachineInfo[] = [];
    try {
      machines = await this.options.host.list();
      this.failing = false;
      if (epoch === this.epoch && !this.stopped) this.options.onList(machines);
    } catch (error) {
      if (!this.failing && !this.stopped) this.options.onError(error);
      this.failing = true;
    }
    this.asking = false;
    if (this.stopped) return;
    if (epoch !== this.epoch) void this.ask();
    else this.askIn(this.news ? togetherMs : this.untilNext(machines));
  }

  private untilNext(machines: readonly MachineInfo[]): number {
    const eventful =
      this.unwatch === undefined ||
      this.failing ||
      performance.now() < this.companyUntil ||
      machines.some(({ state }) => state === "booting");
    return eventful ? everyMs : seldomMs;
  }
}
