const ending = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 } as const;
/** A process group without a shell above it ignores the stop signal: then we simply go on. */
const stopMs = 100;

export interface ProcessSignalsOptions {
  onEnd(code: number): void;
  /** Give the terminal back now: the process is about to end. */
  onCrash(): void;
  leave(): Promise<void>;
  resume(): void;
}

/** Whatever ends, stops or wakes the process while the terminal is ours. */
export class ProcessSignals {
  private readonly options: ProcessSignalsOptions;
  private readonly handlers: [event: string, handler: (...args: never[]) => void][] = [];
  private away = false;

  constructor(options: ProcessSignalsOptions) {
    this.options = options;
  }

  install(): void {
    for (const [signal, code] of Object.entries(ending)) {
      this.on(signal, () => this.options.onEnd(code));
    }
    this.on("SIGTSTP", () => void this.suspend());
    this.on("SIGCONT", () => this.comeBack());
    this.on("exit", () => this.options.onCrash());
    this.on("uncaughtException", (error: unknown) => this.crash(error));
    this.on("unhandledRejection", (error: unknown) => this.crash(error));
  }

  remove(): void {
    for (const [event, handler] of this.handlers) process.removeListener(event, handler as never);
    this.handlers.length = 0;
  }

  /** Gives the terminal back and stops the whole job, as the shell expects of Ctrl-Z. */
  async suspend(): Promise<void> {
    if (this.away) return;
    this.away = true;
    await this.options.leave();
    const own = this.handlers.find(([event]) => event === "SIGTSTP");
    if (own) process.removeListener("SIGTSTP", own[1] as never);
    process.kill(0, "SIGTSTP");
    setTimeout(() => {
      if (own) process.on("SIGTSTP", own[1] as never);
      this.comeBack();
    }, stopMs);
  }

  private comeBack(): void {
    if (!this.away) return;
    this.away = false;
    this.options.resume();
  }

  private crash(error: unknown): void {
    this.options.onCrash();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`machinen: the interface crashed; the machines keep running.\n${text}\n`);
    process.exit(1);
  }

  private on(event: string, handler: (...args: never[]) => void): void {
    process.on(event, handler as never);
    this.handlers.push([event, handler]);
  }
}
