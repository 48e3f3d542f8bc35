import { createTwoFilesPatch } from "diff";

/** Lines shown around a change. */
const CONTEXT = 3;
/** Two long files with nothing in common would take minutes. */
const PATIENCE_MS = 2000;

/** Text, or undefined for what a terminal should not show. */
function textOf(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return "";
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * A unified diff of two contents (undefined: there is no such file); undefined when one of them is no text,
 * or when they differ too much to be told apart line by line.
 */
export function textPatch(
  a: { label: string; bytes: Buffer | undefined },
  b: { label: string; bytes: Buffer | undefined },
): string | undefined {
  const before = textOf(a.bytes);
  const after = textOf(b.bytes);
  if (before === undefined || after === undefined) return undefined;
  return createTwoFilesPatch(a.label, b.label, before, after, "", "", {
    context: CONTEXT,
    timeout: PATIENCE_MS,
  });
}
