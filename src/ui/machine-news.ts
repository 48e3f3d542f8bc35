import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { describeError } from "./errors.ts";
import { listReads } from "./list-lines.ts";
import { MachineWatch } from "./machine-watch.ts";
import type { Action, UiState } from "./state.ts";

export interface MachineNewsOptions {
  host: Host;
  state(): UiState;
  dispatch(action: Action): void;
  /** The host has answered for the first time. */
  onFirst(machines: readonly MachineInfo[]): void;
  onProblem(text: string): void;
}

/** Tells the state what the host's list says, whenever that reads otherwise than before. */
export class MachineNews {
  private readonly options: MachineNewsOptions;
  private readonly watch: MachineWatch;
  private isFirst = true;
  private lastRead = "";

  constructor(options: MachineNewsOptions) {
    this.options = options;
    this.watch = new MachineWatch({
      host: options.host,
      seldom: true,
      onList: (machines) => this.listed(machines),
      onError: (error) => options.onProblem(`looking for machines: ${describeError(error)}`),
    });
  }

  start(): void {
    this.watch.start();
  }

  stop(): void {
    this.watch.stop();
  }

  /** The host's list has changed by our doing. */
  refresh(): void {
    this.watch.refresh();
  }

  /** What the state knows of machines has changed by something else than the list. */
  sync(before: UiState, state: UiState, action: Action): void {
    if (before.machines !== state.machines && action.type !== "listed") this.lastRead = "";
  }

  private listed(machines: MachineInfo[]): void {
    const { state, dispatch, onFirst } = this.options;
    const now = Date.now();
    const reads = listReads(machines, now);
    if (reads === this.lastRead && machines.length === state().machines.length) return;
    this.lastRead = reads;
    dispatch({ type: "listed", machines, now });
    if (!this.isFirst) return;
    this.isFirst = false;
    onFirst(machines);
  }
}
