import type { MouseEncoding, MouseMode } from "./mouse.ts";
import type { XtermCore, XtermTerminal } from "./xterm.ts";

export interface PaneModes {
  applicationCursorKeys: boolean;
  applicationKeypad: boolean;
  bracketedPaste: boolean;
  focusEvents: boolean;
  mouse: MouseMode;
  mouseEncoding: MouseEncoding;
  alternateScreen: boolean;
}

const MOUSE_MODES: Record<string, MouseMode> = {
  none: "none",
  x10: "x10",
  vt200: "normal",
  drag: "button",
  any: "any",
};
const OLD_ENCODINGS = [
  [1005, "utf8"],
  [1015, "urxvt"],
] as const;

/** The modes a program has set that matter to what is typed and clicked. */
export class ModeWatch {
  private readonly terminal: XtermTerminal;
  private readonly core: XtermCore;
  /** Of the encodings xterm no longer knows: set by the program, unless SGR is set too. */
  private oldEncoding: "utf8" | "urxvt" | null = null;

  constructor(terminal: XtermTerminal, core: XtermCore) {
    this.terminal = terminal;
    this.core = core;
    const { parser } = terminal;
    for (const [mode, name] of OLD_ENCODINGS) {
      parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => {
        if (params.includes(mode)) this.oldEncoding = name;
        return false;
      });
      parser.registerCsiHandler({ prefix: "?", final: "l" }, (params) => {
        if (params.includes(mode) && this.oldEncoding === name) this.oldEncoding = null;
        return false;
      });
    }
    parser.registerEscHandler({ final: "c" }, () => {
      this.oldEncoding = null;
      return false;
    });
  }

  get all(): PaneModes {
    const { modes } = this.terminal;
    return {
      applicationCursorKeys: modes.applicationCursorKeysMode,
      applicationKeypad: modes.applicationKeypadMode,
      bracketedPaste: modes.bracketedPasteMode,
      focusEvents: modes.sendFocusMode,
      mouse: MOUSE_MODES[modes.mouseTrackingMode] ?? "none",
      mouseEncoding: this.mouseEncoding,
      alternateScreen: this.core.buffers.active === this.core.buffers.alt,
    };
  }

  private get mouseEncoding(): MouseEncoding {
    const encoding = this.core.coreMouseService.activeEncoding;
    if (encoding === "SGR") return "sgr";
    if (encoding === "SGR_PIXELS") return "sgr-pixels";
    return this.oldEncoding ?? "default";
  }
}
