import type { Host, MachineInfo } from "../runtime/host/host.ts";

/** Whoever only passes over a machine does not mean to fork it. */
const idleMs = 400;

/** Has the next fork of the selected machine ready once the user has stayed with it for a moment. */
export class ForkAhead {
  private readonly host: Host;
  private wanted: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(host: Host) {
    this.host = host;
  }

  select(machine: MachineInfo | undefined): void {
    const id = machine?.state === "running" ? machine.id : undefined;
    if (id === this.wanted) return;
    this.stop();
    this.wanted = id;
    if (id === undefined) return;
    // A machine that cannot be prepared can still be forked, or says then why not.
    this.timer = setTimeout(() => this.host.prepareFork(id).catch(() => {}), idleMs);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.wanted = undefined;
  }
}
