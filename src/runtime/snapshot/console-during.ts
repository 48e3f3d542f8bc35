const OVERLAP_BYTES = 4096;

/** What a console ring holds now that it did not hold before. Pure. */
export function consoleSince(before: Buffer, after: Buffer): Buffer {
  if (after.length >= before.length && after.subarray(0, before.length).equals(before)) {
    return after.subarray(before.length);
  }
  // The ring has wrapped: look for where it ended.
  const end = before.subarray(-OVERLAP_BYTES);
  const at = end.length === 0 ? -1 : after.lastIndexOf(end);
  return at < 0 ? after : after.subarray(at + end.length);
}
