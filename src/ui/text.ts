/** Exactly `width` characters: padded, or cut with an ellipsis. */
export function fit(text: string, width: number): string {
  if (width <= 0) return "";
  const letters = [...text];
  return letters.length <= width
    ? text + " ".repeat(width - letters.length)
    : `${letters.slice(0, width - 1).join("")}…`;
}

/** Lines of at most `width` characters, broken at spaces where there are any. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const end = space > width / 3 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** Where a long list begins so that the part around the selection is shown. */
export function windowStart(count: number, room: number, at: number): number {
  return Math.max(0, Math.min(count - room, at - Math.floor(room / 2)));
}
