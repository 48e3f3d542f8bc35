/**
 * A shell pattern as a regular expression over the whole text, as fnmatch(3) without flags: `*`
 * and `?` match a slash too.
 */
export function namePattern(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === "*") source += source.endsWith(".*") ? "" : ".*";
    else if (character === "?") source += ".";
    else if (character === "[") {
      const set = /^\[(!?)(\]?[^\]]*)\]/.exec(pattern.slice(at));
      if (set) {
        source += `[${set[1] ? "^" : ""}${set[2]!.replace(/[\\\]^[]/g, "\\$&")}]`;
        at += set[0].length - 1;
      } else source += "\\[";
    } else source += character.replace(/[.+^${}()|\\\]/]/g, "\\$&");
  }
  return new RegExp(`^${source}$`, "s");
}

/** Whether any of the patterns matches the text. */
export function matchesAny(patterns: Iterable<string>): (text: string) => boolean {
  const expressions = [...patterns].map(namePattern);
  return (text) => expressions.some((expression) => expression.test(text));
}
