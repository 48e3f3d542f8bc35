import { SerializeAddon } from "@xterm/addon-serialize";
import { createTerminal, writeSync, type XtermTerminal } from "../ui/terminal/xterm.ts";

const scrollback = 2000;

/**
 * The screen a session had, rebuilt from what it wrote. The raw bytes must not go to the user's
 * terminal: it would answer the queries in them into the shell's input, and they were drawn at
 * another size.
 */
export class RestoredScreen {
  private readonly terminal: XtermTerminal;
  private readonly serializer = new SerializeAddon();
  /** DEC private modes and the cursor style, which the serializer leaves out. */
  private readonly extraModes = new Map<number, boolean>([
    [25, true],
    [1006, false],
  ]);
  private cursorStyle = 0;

  constructor(cols: number, rows: number) {
    this.terminal = createTerminal(cols, rows, scrollback);
    this.terminal.loadAddon(this.serializer);
    for (const [final, on] of [
      ["h", true],
      ["l", false],
    ] as const)
      this.terminal.parser.registerCsiHandler({ prefix: "?", final }, (params) => {
        for (const mode of params.flat())
          if (this.extraModes.has(mode)) this.extraModes.set(mode, on);
        return false;
      });
    this.terminal.parser.registerCsiHandler({ intermediates: " ", final: "q" }, ([style]) => {
      this.cursorStyle = typeof style === "number" ? style : 0;
      return false;
    });
  }

  write(bytes: Uint8Array): void {
    writeSync(this.terminal, bytes);
  }

  /** The bytes that draw it on a blank terminal of this size. */
  draw(cols: number, rows: number): string {
    this.terminal.resize(cols, rows);
    const cursor = this.extraModes.get(25) ? "\x1b[?25h" : "\x1b[?25l";
    const mouse = this.extraModes.get(1006) ? "\x1b[?1006h" : "";
    return `${this.serializer.serialize({ scrollback })}\x1b[${this.cursorStyle} q${cursor}${mouse}`;
  }

  /** Its lines as plain text, the empty ones at the end left out. */
  text(): string {
    const { active } = this.terminal.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true) ?? "",
    );
    return lines.join("\r\n").trimEnd();
  }

  dispose(): void {
    this.terminal.dispose();
  }
}
