import type { XtermTerminal } from "./xterm.ts";

/** Larger clipboards are refused: nobody copies megabytes by a terminal on purpose. */
const CLIPBOARD_LIMIT = 1_048_576;
const NOTE_LIMIT = 256;

/** What a program wants of the user's desktop. Whether it gets it is for others to decide. */
export type DesktopRequest =
  /** OSC 52: put this text on the clipboard. (Reading it is always refused.) */
  | { kind: "clipboard"; text: string }
  /** OSC 9, OSC 777: show a notification; printable, at most 256 characters each. */
  | { kind: "notify"; title: string; body: string };

export function watchDesktopRequests(
  terminal: XtermTerminal,
  onRequest: (request: DesktopRequest) => void,
): void {
  const { parser } = terminal;
  parser.registerOscHandler(52, (data) => {
    const text = clipboardText(data);
    if (text !== undefined) onRequest({ kind: "clipboard", text });
    return true;
  });
  parser.registerOscHandler(9, (data) => {
    // `9;4` is a progress bar and other numbers are commands of one terminal on Windows.
    if (!/^\d+(;|$)/.test(data)) onRequest({ kind: "notify", title: "", body: cleaned(data) });
    return true;
  });
  parser.registerOscHandler(777, (data) => {
    const [what, title = "", ...body] = data.split(";");
    if (what !== "notify") return true;
    onRequest({ kind: "notify", title: cleaned(title), body: cleaned(body.join(";")) });
    return true;
  });
}

/** The text of `<selections>;<base64>`; undefined for a query and for what is no such thing. */
function clipboardText(data: string): string | undefined {
  const match = /^[cpqs0-7]*;([A-Za-z0-9+/]*={0,2})$/.exec(data);
  if (!match || match[1]!.length > (CLIPBOARD_LIMIT * 4) / 3) return undefined;
  return Buffer.from(match[1]!, "base64").toString("utf8");
}

function cleaned(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, "").slice(0, NOTE_LIMIT);
}
