/** What a key makes of a line being typed: its new text, or its end. */
export function editLine(text: string, key: string): string | { accepted: boolean } {
  if (key === "enter" || key === "ctrl-j") return { accepted: true };
  if (key === "escape" || key === "ctrl-c" || key === "ctrl-g") return { accepted: false };
  const letters = [...text];
  if (key === "backspace" || key === "ctrl-h") {
    return letters.length === 0 ? { accepted: false } : letters.slice(0, -1).join("");
  }
  if (key === "ctrl-u") return "";
  if (key === "ctrl-w") return text.replace(/\S*\s*$/, "");
  if (key === "space") return `${text} `;
  return [...key].length === 1 ? text + key : text;
}
