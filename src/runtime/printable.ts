/** Controls, direction overrides and the like: what no terminal may be sent of a text from elsewhere. */
export function isUnsafe(code: number): boolean {
  if (code < 0xa0) return code < 0x20 || code >= 0x7f;
  if (code < 0x200e) return code === 0xad || code === 0x61c;
  return (
    (code >= 0x200e && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfeff ||
    (code >= 0xfff0 && code <= 0xfffb) ||
    (code & 0xfffe) === 0xfffe ||
    (code >= 0xe0000 && code <= 0xe007f) ||
    code > 0x10ffff
  );
}

/** One line of text of guests, files and errors that cannot steer the user's terminal. */
export function printable(text: string): string {
  let safe = "";
  let skipped = false;
  for (const character of text) {
    if (isUnsafe(character.codePointAt(0)!)) {
      skipped = true;
      continue;
    }
    safe += skipped ? ` ${character}` : character;
    skipped = false;
  }
  return safe.trimEnd();
}
