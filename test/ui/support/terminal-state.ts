import { PaneTerminal } from "../../../src/ui/terminal/pane-terminal.ts";

/** Where a saved cursor and the cursor itself stand is what no bytes can restore alone. */
interface ScreenBuffer {
  scrollTop: number;
  scrollBottom: number;
  tabs: Record<string, boolean | undefined>;
  savedCurAttrData: { fg: number; bg: number };
}

interface Inside {
  terminal: {
    modes: Record<string, unknown>;
    cols: number;
    _core: {
      buffers: { normal: ScreenBuffer; alt: ScreenBuffer };
      coreService: { isCursorHidden: boolean; modes: object; decPrivateModes: object };
      coreMouseService: { activeProtocol: string; activeEncoding: string };
      _charsetService: { charset?: object; glevel: number };
      _inputHandler: {
        _curAttrData: { fg: number; bg: number };
        _windowTitleStack: string[];
        _windowTitle: string;
      };
    };
  };
  keyboard: { stacks: { main: number[]; alternate: number[] } };
}

/** Every mode a pane's terminal is in after this output. */
export function modesOf(output: Uint8Array, cols = 80, rows = 24): unknown {
  const pane = new PaneTerminal({ cols, rows });
  pane.write(output);
  const state = paneModes(pane);
  pane.dispose();
  return state;
}

/** The same of a pane that is there. */
export function paneModes(pane: PaneTerminal): unknown {
  const { terminal, keyboard } = pane as unknown as Inside;
  const core = terminal._core;
  const { buffers, coreService, coreMouseService, _inputHandler: input } = core;
  const screen = (buffer: ScreenBuffer) => ({
    region: [buffer.scrollTop, buffer.scrollBottom],
    // On the last column a stop makes no difference.
    tabs: Object.keys(buffer.tabs)
      .filter((column) => buffer.tabs[column] && Number(column) < terminal.cols - 1)
      .map(Number),
    saved: pen(buffer.savedCurAttrData),
  });
  return {
    public: { ...terminal.modes },
    pane: pane.modes,
    hidden: coreService.isCursorHidden,
    ansi: coreService.modes,
    dec: coreService.decPrivateModes,
    mouse: [coreMouseService.activeProtocol, coreMouseService.activeEncoding],
    charset: core._charsetService.charset ?? null,
    keyboard: keyboard.stacks,
    pen: pen(input._curAttrData),
    title: [...input._windowTitleStack, input._windowTitle].map((title) => title.slice(0, 80)),
    main: screen(buffers.normal),
    alternate: screen(buffers.alt),
  };
}

/** Colours of one kind leave bits of the kind before behind. */
function pen({ fg, bg }: { fg: number; bg: number }): number[] {
  return [fg, bg].map((word) => {
    const kind = (word >>> 24) & 3;
    return word & (kind === 3 ? -1 : kind === 0 ? 0xfc000000 : 0xff0000ff);
  });
}
