import { OuterOutput } from "./screen/output.ts";
import { capabilityQueries } from "./terminal/outer-capabilities.ts";
import { startWatchdog, type Watchdog } from "./terminal-watchdog.ts";

/**
 * What the TUI asks of the user's terminal: title kept, alternate screen, normal cursor and keypad
 * keys, no cursor, focus reports, bracketed paste; with the mouse clicks and drags in SGR form.
 */
export const enterSequence =
  "\x1b[22;0t\x1b[?1049h\x1b[?1l\x1b>\x1b[?25l\x1b[0m\x1b[2J" +
  "\x1b[?1004h\x1b[?2004h\x1b]0;machinen\x07" +
  capabilityQueries;

export const mouseSequence = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";

/** The way back; harmless in any state, so it is also what a crash sends. */
export const leaveSequence =
  "\x1b[?2026l\x1b[?2004l\x1b[?1004l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006l" +
  "\x1b[0m\x1b[0 q\x1b[?7h\x1b[?25h\x1b[<u\x1b[?1049l\x1b[23;0t";

/** Reports already on their way when the mouse is switched off must not end up in the shell. */
const drainMs = 25;

/** What the terminals that take least will take, in base64. */
const clipboardLimit = 100_000;

const bellMs = 250;

export interface HostTerminalOptions {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  /** Have clicks and drags reported. */
  mouse: boolean;
  paint(): Uint8Array;
  onInput(bytes: Buffer): void;
  /** The terminal is gone. */
  onLost(): void;
}

/** The user's terminal: taken over by `enter`, given back by `leave` however the program ends. */
export class HostTerminal {
  private readonly options: HostTerminalOptions;
  /** One for all times we enter: it listens to the stream for as long as that lives. */
  private output: OuterOutput | undefined;
  private ours = false;
  private watchdog: Watchdog | undefined;
  private anyMotion = false;
  private rangAt = Number.NEGATIVE_INFINITY;
  /** Flags of the kitty keyboard protocol on the entry we pushed; undefined before that. */
  private keyboardFlags: number | undefined;

  constructor(options: HostTerminalOptions) {
    this.options = options;
  }

  get entered(): boolean {
    return this.ours;
  }

  /** Starts what undoes our modes after a kill -9; before raw mode, whose opposite it remembers. */
  async prepare(): Promise<void> {
    this.watchdog = await startWatchdog(this.options.stdout, leaveSequence);
  }

  enter(): void {
    if (this.ours) return;
    this.ours = true;
    const { stdin, stdout } = this.options;
    stdin.setRawMode?.(true);
    stdin.on("data", this.onData);
    stdin.on("end", this.onGone);
    stdin.on("error", this.onGone);
    stdin.resume();
    this.output ??= new OuterOutput(stdout, {
      paint: () => this.options.paint(),
      onError: () => this.options.onLost(),
    });
    this.anyMotion = false;
    this.keyboardFlags = undefined;
    this.output.resume(enterSequence + (this.options.mouse ? mouseSequence : ""));
  }

  requestFrame(): void {
    this.output?.request();
  }

  /** Motion without a button is reported only while a program wants it: it is a flood. */
  setAnyMotion(wanted: boolean): void {
    if (wanted === this.anyMotion || !this.options.mouse) return;
    this.anyMotion = wanted;
    if (this.ours) this.output?.write(wanted ? "\x1b[?1003h" : "\x1b[?1003l\x1b[?1002h");
  }

  /** Puts a text on the user's clipboard (OSC 52); false when it is longer than terminals take. */
  setClipboard(text: string): boolean {
    const encoded = Buffer.from(text).toString("base64");
    if (encoded.length > clipboardLimit || !this.ours) return false;
    this.output?.write(`\x1b]52;c;${encoded}\x07`);
    return true;
  }

  /** Sounds the bell; one for all that come close together. */
  ring(): void {
    const now = performance.now();
    if (!this.ours || now - this.rangAt < bellMs) return;
    this.rangAt = now;
    this.output?.write("\x07");
  }

  /** A desktop notification (OSC 9), of printable texts. */
  notify(title: string, body: string): void {
    if (this.ours) this.output?.write(`\x1b]9;${title}${body ? `: ${body}` : ""}\x07`);
  }

  /** Keys in the kitty protocol's form; only for a terminal that has said it speaks it. */
  setKeyboard(flags: number): void {
    if (flags === (this.keyboardFlags ?? 0) || !this.ours) return;
    this.output?.write(this.keyboardFlags === undefined ? `\x1b[>${flags}u` : `\x1b[=${flags};1u`);
    this.keyboardFlags = flags;
  }

  async leave(): Promise<void> {
    if (!this.output || !this.ours) return;
    this.ours = false;
    await this.output.finish(leaveSequence);
    this.options.stdin.off("data", this.onData);
    this.options.stdin.on("data", ignore);
    await new Promise((resolve) => setTimeout(resolve, drainMs));
    this.releaseInput();
  }

  /** The same when nothing may be awaited any more. */
  leaveSync(): void {
    if (!this.output || !this.ours) return;
    this.ours = false;
    this.output.finishSync(leaveSequence);
    this.releaseInput();
  }

  /** After the last `leave`. */
  close(): void {
    this.watchdog?.dismiss();
    this.watchdog = undefined;
  }

  private releaseInput(): void {
    const { stdin } = this.options;
    stdin.off("data", this.onData);
    stdin.off("data", ignore);
    stdin.off("end", this.onGone);
    stdin.off("error", this.onGone);
    try {
      stdin.setRawMode?.(false);
    } catch {
      // The terminal is gone, and with it its modes.
    }
    stdin.pause();
  }

  private readonly onData = (bytes: Buffer): void => this.options.onInput(bytes);
  private readonly onGone = (): void => this.options.onLost();
}

function ignore(): void {}
