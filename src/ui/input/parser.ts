import type { InputEvent } from "./events.ts";
import { asciiKeyName, csiKeyName, ss3KeyName } from "./key-names.ts";
import { kittyKey } from "./kitty-key.ts";
import { sgrMouse, x10Mouse } from "./mouse-report.ts";
import { csiReport, stringReport } from "./reports.ts";
import { continuationBytes } from "./utf8.ts";

const ESC = 0x1b;
const pasteEnd = Buffer.from("\x1b[201~");
/** Longer control sequences are no keys; they are handed on as they are. */
const maxSequence = 64;
const maxString = 4096;

type State = "ground" | "utf8" | "escape" | "csi" | "ss3" | "x10" | "console" | "string" | "paste";

/**
 * Cuts the raw bytes of a terminal into events. Total: any bytes give events whose raw parts keep
 * the order of arrival; bounded: what is held back never exceeds a few kilobytes.
 */
export class InputParser {
  private state: State = "ground";
  private held: number[] = [];
  private utf8Left = 0;
  private events: InputEvent[] = [];

  /** Whether bytes wait for more: the caller then calls `flush` after a short while. */
  get pending(): boolean {
    return this.held.length > 0;
  }

  feed(chunk: Uint8Array): InputEvent[] {
    for (let at = 0; at < chunk.length; at++) {
      if (this.state === "paste" && this.held.length === 0) {
        at = this.pasteRun(chunk, at);
        if (at >= chunk.length) break;
      }
      this.step(chunk[at]!);
    }
    return this.take();
  }

  /** Nothing more came: a lone ESC was the Escape key, other beginnings are what they are. */
  flush(): InputEvent[] {
    if (this.state === "paste") this.emitPasteHeld();
    else if (this.held.length > 0) this.emitHeld();
    return this.take();
  }

  private take(): InputEvent[] {
    const events = this.events;
    this.events = [];
    return events;
  }

  /** Emits pasted bytes up to the next ESC as one piece; returns where it stopped. */
  private pasteRun(chunk: Uint8Array, from: number): number {
    let end = chunk.indexOf(ESC, from);
    if (end < 0) end = chunk.length;
    if (end > from)
      this.push({ type: "paste", part: "data", raw: Buffer.from(chunk.subarray(from, end)) });
    return end;
  }

  private step(byte: number): void {
    switch (this.state) {
      case "ground":
        this.ground(byte);
        break;
      case "utf8":
        this.utf8(byte);
        break;
      case "escape":
        this.escape(byte);
        break;
      case "csi":
        this.csi(byte);
        break;
      case "ss3":
        this.ss3(byte);
        break;
      case "x10":
        this.x10(byte);
        break;
      case "console":
        this.held.push(byte);
        this.finish(`f${byte - 0x40}`, byte >= 0x41 && byte <= 0x45);
        break;
      case "string":
        this.string(byte);
        break;
      case "paste":
        this.paste(byte);
        break;
    }
  }

  private ground(byte: number): void {
    if (byte === ESC) {
      this.held = [byte];
      this.state = "escape";
    } else if (byte < 0x80) {
      this.push({ type: "key", key: asciiKeyName(byte), raw: Buffer.of(byte) });
    } else {
      this.startUtf8(byte);
    }
  }

  private startUtf8(byte: number): void {
    this.held.push(byte);
    this.utf8Left = continuationBytes(byte);
    this.state = "utf8";
    if (this.utf8Left === 0) this.emitHeld();
  }

  private utf8(byte: number): void {
    if ((byte & 0xc0) !== 0x80) {
      this.emitHeld();
      this.step(byte);
      return;
    }
    this.held.push(byte);
    if (--this.utf8Left === 0) this.emitHeld();
  }

  private escape(byte: number): void {
    if (byte === ESC) {
      this.emitHeld();
      this.ground(byte);
      return;
    }
    if (byte >= 0x80) {
      this.startUtf8(byte);
      return;
    }
    this.held.push(byte);
    if (byte === 0x5b) this.state = "csi";
    else if (byte === 0x4f) this.state = "ss3";
    else if (byte === 0x50 || byte === 0x5d || byte === 0x5e || byte === 0x5f)
      this.state = "string";
    else this.emitHeld();
  }

  private csi(byte: number): void {
    if (byte < 0x20 || byte > 0x7e) {
      this.emitHeld();
      this.step(byte);
      return;
    }
    this.held.push(byte);
    if (byte < 0x40) {
      if (this.held.length >= maxSequence) this.finish(undefined, false);
      return;
    }
    if (this.held.length === 3 && byte === 0x4d) this.state = "x10";
    else if (this.held.length === 3 && byte === 0x5b) this.state = "console";
    else this.endCsi(String.fromCharCode(byte));
  }

  private endCsi(final: string): void {
    const body = Buffer.from(this.held.slice(2, -1)).toString("latin1");
    const mouse = sgrMouse(body, final);
    if (mouse || body.startsWith("<")) {
      if (mouse) this.pushAndReset(mouse);
      else this.finish(undefined, false);
      return;
    }
    if (final === "~" && (body === "200" || body === "201")) {
      const part = body === "200" ? "start" : "end";
      this.push({ type: "paste", part, raw: Buffer.from(this.held) });
      this.held = [];
      this.state = part === "start" ? "paste" : "ground";
      return;
    }
    if (body === "" && (final === "I" || final === "O")) {
      this.pushAndReset({ type: "focus", focused: final === "I" });
      return;
    }
    const special = csiReport(body, final) ?? this.kitty(body, final);
    if (special) {
      this.pushAndReset(special);
      return;
    }
    const plain = /^[0-9;]*$/.test(body);
    this.finish(plain ? csiKeyName(body.split(";").map(Number), final) : undefined, plain);
  }

  private kitty(body: string, final: string): InputEvent | undefined {
    if (final !== "u" && !body.includes(":")) return undefined;
    return kittyKey(body, final, Buffer.from(this.held));
  }

  private ss3(byte: number): void {
    if (byte < 0x20 || byte > 0x7e) {
      this.emitHeld();
      this.step(byte);
      return;
    }
    this.held.push(byte);
    this.finish(ss3KeyName(String.fromCharCode(byte)), true);
  }

  /** The old mouse report: three bytes, each offset by 32; button 3 is any release. */
  private x10(byte: number): void {
    this.held.push(byte);
    if (this.held.length < 6) return;
    const mouse = x10Mouse(this.held.slice(3));
    if (mouse) this.push(mouse);
    this.reset();
  }

  /** An answer of the terminal (OSC, DCS ...), up to BEL or ST. */
  private string(byte: number): void {
    this.held.push(byte);
    const ended = byte === 0x07 || (byte === 0x5c && this.held.at(-2) === ESC);
    if (!ended && this.held.length < maxString) return;
    const report = ended ? stringReport(Buffer.from(this.held)) : undefined;
    if (report) this.pushAndReset(report);
    else this.finish(undefined, false);
  }

  private paste(byte: number): void {
    if (byte === pasteEnd[this.held.length]) {
      this.held.push(byte);
      if (this.held.length < pasteEnd.length) return;
      this.push({ type: "paste", part: "end", raw: Buffer.from(pasteEnd) });
      this.reset();
      return;
    }
    this.emitPasteHeld();
    if (byte === ESC) this.held.push(byte);
    else this.push({ type: "paste", part: "data", raw: Buffer.of(byte) });
  }

  private emitPasteHeld(): void {
    if (this.held.length > 0)
      this.push({ type: "paste", part: "data", raw: Buffer.from(this.held) });
    this.held = [];
  }

  private finish(key: string | undefined, isKey: boolean): void {
    const raw = Buffer.from(this.held);
    this.push(key && isKey ? { type: "key", key, raw } : { type: "unknown", raw });
    this.reset();
  }

  /** The held bytes are a character, a lone ESC, or ESC and a character (Alt). */
  private emitHeld(): void {
    const raw = Buffer.from(this.held);
    const alt = raw[0] === ESC && raw.length > 1;
    const rest = alt ? raw.subarray(1) : raw;
    const name = rest[0]! < 0x80 ? asciiKeyName(rest[0]!) : rest.toString("utf8");
    const single = rest[0]! >= 0x80 || rest.length === 1;
    this.push(
      single ? { type: "key", key: alt ? `alt-${name}` : name, raw } : { type: "unknown", raw },
    );
    this.reset();
  }

  private pushAndReset(event: InputEvent): void {
    this.push(event);
    this.reset();
  }

  private push(event: InputEvent): void {
    this.events.push(event);
  }

  private reset(): void {
    this.held = [];
    this.state = "ground";
  }
}
