import type { Host, MachineInfo } from "../runtime/host/host.ts";
import type { Settings } from "../ui/config/settings.ts";
import { mainSession } from "../ui/layout/pane-id.ts";
import { SessionNews, type SessionNewsItem } from "./session-news.ts";

/** What came while the user was typing into a session; more than this nobody would listen to. */
const mostKept = 50;

export interface ListNewsOptions {
  host: Host;
  settings: Settings;
  say(line: string): void;
  /** Let the user hear it. */
  ring(): void;
  /** The machine whose main session is typed into. */
  attachedTo(): string | undefined;
}

/** Decides which news of the sessions are told in the plain list, and when. */
export class ListNews {
  private readonly options: ListNewsOptions;
  private readonly sessions: SessionNews;
  private readonly muted = new Set<string>();
  private readonly stopping = new Set<string>();
  private kept: SessionNewsItem[] = [];

  constructor(options: ListNewsOptions) {
    this.options = options;
    this.sessions = new SessionNews({
      host: options.host,
      silenceMs: options.settings["attention.silence"] * 1000,
      tell: (item) => this.take(item),
    });
  }

  sync(machines: readonly MachineInfo[]): void {
    this.sessions.sync(machines);
  }

  /** Tells what was kept, of the machines that are still there; nothing is being typed into now. */
  flush(machines: readonly MachineInfo[]): void {
    const { kept } = this;
    this.kept = [];
    for (const item of kept) {
      if (machines.some(({ id }) => id === item.machine)) this.tell(item);
    }
  }

  /** Whether they are not told of from now on. */
  toggleMute(machine: string): boolean {
    if (this.muted.delete(machine)) return false;
    this.muted.add(machine);
    return true;
  }

  isMuted(machine: string): boolean {
    return this.muted.has(machine);
  }

  /** It is being stopped: that its shells end is no news. */
  expectEnd(machine: string, isStopping: boolean): void {
    if (isStopping) this.stopping.add(machine);
    else this.stopping.delete(machine);
  }

  /** Whether the shell of its main session waits for input. */
  waits(machine: string): boolean {
    return this.sessions.waiting(machine).includes(mainSession);
  }

  close(): void {
    this.sessions.close();
  }

  private take(item: SessionNewsItem): void {
    const attachedTo = this.options.attachedTo();
    if (item.machine === attachedTo && item.session === mainSession) return;
    // The end of a shell may be the end of its machine, which is told instead.
    if (attachedTo === undefined && item.kind !== "end") this.tell(item);
    else if (this.kept.length < mostKept) this.kept.push(item);
  }

  private tell({ machine, kind, text }: SessionNewsItem): void {
    if (this.muted.has(machine) || this.stopping.has(machine)) return;
    if (kind === "bell" && this.options.settings["attention.bell"]) this.options.ring();
    this.options.say(text);
  }
}
