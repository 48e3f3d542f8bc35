import type { Host, MachineInfo } from "../runtime/host/host.ts";

const everyMs = 1000;

export interface MachineWatchOptions {
  host: Host;
  onList(machines: MachineInfo[]): void;
  onError(error: unknown): void;
}

/** Asks the host about once a second who is there; machines come and go behind our back. */
export class MachineWatch {
  private readonly options: MachineWatchOptions;
  private timer: NodeJS.Timeout | undefined;
  private asking = false;
  private epoch = 0;
  private failing = false;
  private stopped = false;

  constructor(options: MachineWatchOptions) {
    this.options = options;
  }

  /** Something we did has changed the list: an answer that is on its way may be older than that. */
  refresh(): void {
    this.epoch++;
    if (!this.asking) void this.ask();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  start(): void {
    this.stopped = false;
    this.refresh();
  }

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    this.asking = true;
    const epoch = this.epoch;
    try {
      const machines = await this.options.host.list();
      this.failing = false;
      if (epoch === this.epoch && !this.stopped) this.options.onList(machines);
    } catch (error) {
      if (!this.failing && !this.stopped) this.options.onError(error);
      this.failing = true;
    }
    this.asking = false;
    if (this.stopped) return;
    if (epoch !== this.epoch) void this.ask();
    else this.timer = setTimeout(() => void this.ask(), everyMs);
  }
}
