import { textPatch } from "./patch.ts";
import type { FileDifference, Side } from "./types.ts";

/** A larger file is named, not shown. */
const MOST_BYTES = 1024 ** 2;

/** What differs in a file, line by line; or why that cannot be shown. */
export type FilePatch = { patch: string } | { unshown: string };

/** Read a file that differs on both sides, where it is there, and tell its lines apart. */
export async function filePatch(
  file: FileDifference,
  labels: Record<Side, string>,
  read: (side: Side, limit: number) => Promise<Buffer | undefined>,
): Promise<FilePatch> {
  const states = [file.a, file.b].filter((state) => state !== undefined);
  const other = states.find(({ type }) => type !== "file");
  if (other) return { unshown: `no text: ${other.type}` };
  if (states.some(({ size }) => size > MOST_BYTES)) return { unshown: "too large to be shown" };
  const [a, b] = await Promise.all([
    file.a && read("a", MOST_BYTES),
    file.b && read("b", MOST_BYTES),
  ]);
  const patch = textPatch({ label: labels.a, bytes: a }, { label: labels.b, bytes: b });
  return patch === undefined ? { unshown: "the contents are no text" } : { patch };
}
