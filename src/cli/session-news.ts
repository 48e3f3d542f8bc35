import { finished } from "node:stream";
import type { Host, MachineInfo, SessionHandle, SessionInfo } from "../runtime/host/host.ts";
import { machineName, sessionName } from "../ui/names.ts";
import { type EarNews, SessionEar } from "./session-ear.ts";

export interface SessionNewsItem extends EarNews {
  machine: string;
  session: string;
}

export interface SessionNewsOptions {
  host: Host;
  /** ms without output after a stretch of work; 0 for never. */
  silenceMs: number;
  /** Something a user who does not look should know, as a line that names the session. */
  tell(news: SessionNewsItem): void;
}

interface Watched {
  close(): void;
  /** The shell waits for a command, and says so. */
  waits(): boolean;
}

/** Joins every session of every machine as one more client that only listens. */
export class SessionNews {
  private readonly options: SessionNewsOptions;
  private readonly watched = new Map<string, Map<string, Watched>>();
  private readonly names = new Map<string, string>();
  private readonly asking = new Set<string>();
  private closed = false;

  constructor(options: SessionNewsOptions) {
    this.options = options;
  }

  /** To be called again and again: sessions come and go without a word. */
  sync(machines: readonly MachineInfo[]): void {
    const running = machines.filter(({ state }) => state === "running");
    const ids = new Set(running.map(({ id }) => id));
    for (const id of this.watched.keys()) if (!ids.has(id)) this.forget(id);
    for (const machine of running) {
      this.names.set(machine.id, machineName(machine));
      void this.look(machine.id);
    }
  }

  /** The machine's sessions whose shell waits for input. */
  waiting(machine: string): string[] {
    const sessions = [...(this.watched.get(machine) ?? [])];
    return sessions.filter(([, { waits }]) => waits()).map(([session]) => session);
  }

  close(): void {
    this.closed = true;
    for (const id of [...this.watched.keys()]) this.forget(id);
  }

  private forget(machine: string): void {
    for (const { close } of this.watched.get(machine)?.values() ?? []) close();
    this.watched.delete(machine);
    this.names.delete(machine);
  }

  private async look(machine: string): Promise<void> {
    if (this.asking.has(machine)) return;
    this.asking.add(machine);
    try {
      for (const session of await this.options.host.listSessions(machine)) {
        if (this.watched.get(machine)?.has(session.name)) continue;
        await this.join(machine, session);
      }
    } catch {
      // A machine that does not answer now may do so at the next look.
    } finally {
      this.asking.delete(machine);
    }
  }

  private async join(machine: string, { name, pid, cols, rows }: SessionInfo): Promise<void> {
    const tell = (news: EarNews): void => {
      const called = sessionName(this.names.get(machine) ?? `#${machine}`, name);
      this.options.tell({ ...news, machine, session: name, text: `${called}: ${news.text}` });
    };
    const ear = new SessionEar({ cols, rows, silenceMs: this.options.silenceMs, tell });
    const handle = await this.options.host.openSession(machine, {
      name,
      cols,
      rows,
      // Were it to end just now, opening it would begin it anew: not with a shell nobody asked for.
      command: "true",
      onReplay: (replay) => ear.replay(replay),
    });
    if (handle.pid !== pid || this.closed || !this.names.has(machine)) {
      handle.close();
      ear.close();
      return;
    }
    const sessions = this.watched.get(machine) ?? new Map<string, Watched>();
    this.watched.set(machine, sessions);
    const own: Watched = {
      waits: () => ear.waits,
      close: () => {
        handle.close();
        ear.close();
      },
    };
    sessions.set(name, own);
    listen(handle, ear, () => sessions.get(name) === own && sessions.delete(name));
  }
}

function listen(handle: SessionHandle, ear: SessionEar, onEnd: () => boolean): void {
  handle.stdin.on("error", () => {});
  handle.stdout.on("error", () => {});
  handle.stdout.on("data", (bytes: Buffer) => ear.hear(bytes));
  const end = (code?: number | null): void => {
    finished(handle.stdout, { writable: false }, () => {
      if (onEnd() && code !== undefined) ear.ended(code);
      ear.close();
    });
  };
  handle.wait().then(
    ({ code }) => end(code),
    () => end(),
  );
}
