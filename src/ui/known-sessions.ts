import type { Host } from "../runtime/host/host.ts";
import { machinesOf } from "./selectors.ts";
import type { UiState } from "./state.ts";

/** Asks every machine once, when it is first seen running, which sessions it has. */
export class KnownSessions {
  private readonly host: Host;
  private readonly onSessions: (machine: string, sessions: string[]) => void;
  private readonly asked = new Set<string>();

  constructor(host: Host, onSessions: (machine: string, sessions: string[]) => void) {
    this.host = host;
    this.onSessions = onSessions;
  }

  sync(state: UiState): void {
    for (const { id, state: running } of machinesOf(state)) {
      if (running !== "running" || this.asked.has(id)) continue;
      this.asked.add(id);
      void this.ask(id);
    }
  }

  private async ask(id: string): Promise<void> {
    try {
      const sessions = await this.host.listSessions(id);
      this.onSessions(
        id,
        sessions.map(({ name }) => name),
      );
    } catch {
      // A machine that does not answer shows its main session, which says why.
    }
  }
}
