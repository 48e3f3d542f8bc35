/** Modes a guest program may have set that must not outlive the attach. */
const privateModesOff = [
  9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 1, 5, 6, 66, 47, 1047, 1049,
];

/**
 * Gives the terminal back as shells expect it. Leaves the cursor on the screen's last line: the
 * guest may have left it anywhere.
 */
export function terminalReset(rows: number): string {
  return [
    "\x18\x1b\\", // end whatever sequence was cut off
    ...privateModesOff.map((mode) => `\x1b[?${mode}l`),
    "\x1b[?7h\x1b[?25h", // wrap lines, show the cursor
    "\x1b[4l\x1b>", // replace, do not insert; normal keypad
    "\x1b[<u\x1b[>4;0m", // keyboard protocols of kitty and xterm
    "\x1b[0 q\x1b[0m\x1b(B\x0f", // cursor style, colours, character sets
    "\x1b[r", // scroll the whole screen
    `\x1b[${rows};1H\r\n`,
  ].join("");
}

/** A blank screen to draw on; what stood there moves into the terminal's scrollback. */
export function freshScreen(rows: number): string {
  return `\x1b[${rows};1H${"\n".repeat(rows)}\x1b[H\x1b[2J`;
}
