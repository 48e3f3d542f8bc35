import { printable } from "../runtime/printable.ts";
import type { Context } from "./command.ts";

/** Something that takes seconds says so on a terminal, and takes its words back when it is done. */
export async function withTimer<T>(
  { stderr }: Context,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!stderr.isTTY) return work();
  const start = Date.now();
  const show = () =>
    stderr.write(`\r\x1b[K${printable(what)} ... ${((Date.now() - start) / 1000).toFixed(0)} s`);
  show();
  const ticker = setInterval(show, 1000);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
    stderr.write("\r\x1b[K");
  }
}
