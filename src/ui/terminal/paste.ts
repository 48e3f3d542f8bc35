/** Characters a paste may not type: they would end the bracket, interrupt or kill. */
const UNSAFE = /[\x00\x03-\x05\x08\x1a\x1b\x1c\x7f\x9b]/g;

/** The bytes that type `text` into a program; line ends become Enter. */
export function encodePaste(text: string, bracketed: boolean): Uint8Array {
  const typed = text.replace(/\r\n?|\n/g, "\r").replace(UNSAFE, "");
  return Buffer.from(bracketed ? `\x1b[200~${typed}\x1b[201~` : typed, "utf8");
}
