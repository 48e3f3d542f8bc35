import { PassThrough, Writable } from "node:stream";
import { type Instance, render } from "ink";
import type { ReactNode } from "react";

/** Where Ink believes the terminal is: it keeps the newest frame. */
class FrameStream extends Writable {
  columns = 0;
  rows = 0;
  frame = "";
  override write(chunk: unknown): boolean {
    this.frame = String(chunk);
    return true;
  }
}

/**
 * One rectangle of chrome drawn by Ink. `debug` makes every render a whole frame, written at once
 * and also when CI is set; nothing of it reaches the real terminal.
 */
export class ChromeSurface {
  private readonly stream = new FrameStream();
  private instance: Instance | undefined;

  /** The frame for this element at this size. */
  draw(element: ReactNode, cols: number, rows: number): string {
    const resized = this.stream.columns !== cols || this.stream.rows !== rows;
    this.stream.columns = cols;
    this.stream.rows = rows;
    if (resized) this.stream.emit("resize");
    if (this.instance) {
      this.instance.rerender(element);
    } else {
      this.instance = render(element, {
        stdout: this.stream as unknown as NodeJS.WriteStream,
        stderr: this.stream as unknown as NodeJS.WriteStream,
        stdin: new PassThrough() as unknown as NodeJS.ReadStream,
        debug: true,
        exitOnCtrlC: false,
        patchConsole: false,
      });
    }
    return this.stream.frame;
  }

  close(): void {
    this.instance?.unmount();
    this.instance?.cleanup();
    this.instance = undefined;
  }
}
