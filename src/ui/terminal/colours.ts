import { COLOUR_16, COLOUR_256, COLOUR_MODE, COLOUR_RGB } from "../screen/cell.ts";
import { paletteColour } from "../screen/colour.ts";
import type { XtermTerminal } from "./xterm.ts";

/** The outer terminal's colours, `0xrrggbb`. */
export interface DefaultColours {
  foreground: number;
  background: number;
  /** Default: the foreground. */
  cursor?: number;
}

type Slot = 10 | 11 | 12;
const slots: readonly Slot[] = [10, 11, 12];

/** The colours of one pane: the outer terminal's, where its program has not set its own. */
export class PaneColours {
  private readonly defaults: () => DefaultColours;
  private readonly own = new Map<Slot, number>();
  private readonly palette = new Map<number, number>();

  constructor(
    terminal: XtermTerminal,
    defaults: () => DefaultColours,
    reply: (text: string) => void,
  ) {
    this.defaults = defaults;
    const { parser } = terminal;
    for (const slot of slots) {
      parser.registerOscHandler(slot, (data) => this.defaultColours(slot, data, reply));
      parser.registerOscHandler(100 + slot, () => this.own.delete(slot) || true);
    }
    parser.registerOscHandler(4, (data) => this.paletteColours(data, reply));
    parser.registerOscHandler(104, (data) => this.resetPalette(data));
    parser.registerCsiHandler({ prefix: "?", final: "n" }, (params) => {
      if (params[0] !== 996) return false;
      reply(`\x1b[?997;${isDark(this.valueOf(11)) ? 1 : 2}n`);
      return true;
    });
    parser.registerEscHandler({ final: "c" }, () => {
      this.own.clear();
      this.palette.clear();
      return false;
    });
  }

  /** Whether cells look other than the outer terminal would draw them by itself. */
  get changed(): boolean {
    return this.own.size > 0 || this.palette.size > 0;
  }

  /** The colour word (mode and value) of text, as this pane means it. */
  text(word: number): number {
    return this.mapped(word, 10);
  }

  background(word: number): number {
    return this.mapped(word, 11);
  }

  private mapped(word: number, slot: Slot): number {
    const mode = word & COLOUR_MODE;
    if (mode === COLOUR_RGB) return word;
    const indexed = mode === COLOUR_16 || mode === COLOUR_256;
    const rgb = indexed ? this.palette.get(word & 0xff) : this.own.get(slot);
    return rgb === undefined ? word : COLOUR_RGB | rgb;
  }

  private valueOf(slot: Slot): number {
    const { foreground, background, cursor } = this.defaults();
    const given = slot === 11 ? background : slot === 12 ? (cursor ?? foreground) : foreground;
    return this.own.get(slot) ?? given;
  }

  // One sequence may speak of several: `10;?;?` means 10 and 11.
  private defaultColours(first: Slot, data: string, reply: (text: string) => void): boolean {
    data.split(";", 13 - first).forEach((value, i) => {
      const slot = (first + i) as Slot;
      if (value === "?") reply(`\x1b]${slot};${formatColour(this.valueOf(slot))}\x1b\\`);
      else setColour(this.own, slot, value);
    });
    return true;
  }

  private paletteColours(data: string, reply: (text: string) => void): boolean {
    const parts = data.split(";");
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const index = Number(parts[i]);
      if (!/^\d{1,3}$/.test(parts[i]!) || index > 255) continue;
      const rgb = this.palette.get(index) ?? paletteColour(index);
      if (parts[i + 1] === "?") reply(`\x1b]4;${index};${formatColour(rgb)}\x1b\\`);
      else setColour(this.palette, index, parts[i + 1]!);
    }
    return true;
  }

  private resetPalette(data: string): boolean {
    if (data === "") this.palette.clear();
    for (const part of data.split(";")) this.palette.delete(Number(part || -1));
    return true;
  }
}

function setColour<Key>(colours: Map<Key, number>, key: Key, text: string): void {
  const rgb = parseColour(text);
  if (rgb !== undefined) colours.set(key, rgb);
}

/** `#rgb` to `#rrrrggggbbbb`, or `rgb:r/g/b` with one to four digits each; undefined for others. */
export function parseColour(text: string): number | undefined {
  const hash = /^#((?:[0-9a-f]{3}){1,4})$/i.exec(text)?.[1];
  const size = hash ? hash.length / 3 : 0;
  const channels = hash
    ? [hash.slice(0, size), hash.slice(size, 2 * size), hash.slice(2 * size)]
    : /^rgba?:([0-9a-f]{1,4})\/([0-9a-f]{1,4})\/([0-9a-f]{1,4})(?:\/[0-9a-f]{1,4})?$/i
        .exec(text)
        ?.slice(1, 4);
  if (!channels) return undefined;
  return channels.reduce((rgb, digits) => {
    const most = 16 ** digits.length - 1;
    return (rgb << 8) | Math.round((Number.parseInt(digits, 16) * 255) / most);
  }, 0);
}

/** As terminals answer: `rgb:rrrr/gggg/bbbb`. */
export function formatColour(rgb: number): string {
  const channel = (shift: number) =>
    ((rgb >> shift) & 0xff).toString(16).padStart(2, "0").repeat(2);
  return `rgb:${channel(16)}/${channel(8)}/${channel(0)}`;
}

function isDark(rgb: number): boolean {
  return ((rgb >> 16) & 0xff) * 3 + ((rgb >> 8) & 0xff) * 6 + (rgb & 0xff) < 1280;
}
