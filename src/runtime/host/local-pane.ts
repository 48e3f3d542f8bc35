import { basename } from "node:path";
import { RegistryError } from "../errors.ts";
import { LocalSession } from "../multiplex/local-session.ts";
import type { MachineInfo, OpenSessionOptions, SessionHandle, SessionInfo } from "./host.ts";

const FIRST_COLS = 80;
const FIRST_ROWS = 24;
const FIRST_SESSION = "main";
/** A program that lives longer has done something before it failed. */
const AT_ONCE_MS = 3000;
/** What shells end with when there is no such program, or it cannot be run. */
const NOT_RUN = new Set([126, 127]);

/** How a program ended that nobody had typed into: most likely it was the wrong one. */
export interface LocalFailure {
  command: string;
  /** Its exit status, 128 and the signal's number when one ended it. */
  status: number;
  /** The last MiB of what it wrote. */
  output: string;
}

/** A program on a PTY of this computer, and the shells that were opened beside it. */
export class LocalPane {
  readonly info: MachineInfo;
  private readonly command: string;
  private readonly sessions = new Map<string, LocalSession>();
  /** Ended with an error before anybody could see it. */
  private readonly unseen = new Set<LocalSession>();
  private stopped = false;

  constructor(command: string, number: number, onFailure: (failure: LocalFailure) => void) {
    this.command = command;
    const name = `local-${number}`;
    const session = this.start(FIRST_SESSION);
    const startedAt = Date.now();
    this.info = {
      id: name,
      pid: session.pty.pid,
      name,
      local: basename(command.trim().split(/\s+/)[0] ?? ""),
      state: "running",
      startedAt,
    };
    void session.pty.wait().then(() => {
      const { status } = session;
      if (this.stopped || !status || session.typedInto) return;
      if (!NOT_RUN.has(status) && Date.now() - startedAt >= AT_ONCE_MS) return;
      onFailure({ command, status, output: session.screen.toString("utf8") });
    });
  }

  /** Until its programs have ended; one that failed is there until somebody has seen why. */
  get listed(): boolean {
    if (this.stopped) return false;
    return this.running().length > 0 || Boolean(this.sessions.get(FIRST_SESSION)?.status);
  }

  /** Joins a session. One that has ended is shown once more, and starts anew the next time. */
  open(options: OpenSessionOptions): SessionHandle {
    this.refuseWhenGone();
    const { name = FIRST_SESSION, command, cols, rows } = options;
    const found = this.sessions.get(name);
    if (found && (!found.ended || this.unseen.delete(found))) return found.attach(options);
    return this.start(name, command, cols, rows).attach(options);
  }

  list(): SessionInfo[] {
    this.refuseWhenGone();
    return this.running().map(([name, { pty, cols, rows, clients }]) => {
      return { name, pid: pty.pid, cols, rows, clients, command: this.command };
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.sessions.values()].map(({ pty }) => pty.kill()));
  }

  private refuseWhenGone(): void {
    if (this.listed) return;
    throw new RegistryError("REGISTRY_VM_NOT_FOUND", `the program in ${this.info.id} has ended`);
  }

  private running(): [string, LocalSession][] {
    return [...this.sessions].filter(([, { ended }]) => !ended);
  }

  private start(
    name: string,
    command = this.command,
    cols = FIRST_COLS,
    rows = FIRST_ROWS,
  ): LocalSession {
    const session = new LocalSession({ binary: "/bin/sh", args: ["-c", command], cols, rows });
    this.sessions.set(name, session);
    void session.pty.wait().then(() => {
      if (session.clients === 0) this.unseen.add(session);
    });
    return session;
  }
}
