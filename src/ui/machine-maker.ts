import { endChildren } from "../runtime/host/end-children.ts";
import type { Host, MachineInfo } from "../runtime/host/host.ts";

const leaving = "the interface is being left";

/** Makes machines, and undoes the half-made ones when the user cannot wait for them. */
export class MachineMaker {
  private readonly host: Host;
  /** Finished machines are still children of this process, and go on without it. */
  private readonly finished = new Set<number>();
  private abandoned = false;

  constructor(host: Host) {
    this.host = host;
  }

  async make(begin: () => Promise<MachineInfo>): Promise<MachineInfo> {
    const [machine] = await this.makeAll(async () => [await begin()]);
    return machine!;
  }

  async makeAll(begin: () => Promise<MachineInfo[]>): Promise<MachineInfo[]> {
    if (this.abandoned) throw new Error(leaving);
    const machines = await begin();
    if (!this.abandoned) {
      for (const { pid } of machines) this.finished.add(pid);
      return machines;
    }
    await Promise.all(machines.map(({ id }) => this.host.stop(id, { graceMs: 0 })));
    throw new Error(leaving);
  }

  /** From here on no machine is made; what is in the making fails, or is stopped once it is made. */
  abandon(): void {
    this.abandoned = true;
    endChildren(this.finished);
  }
}
