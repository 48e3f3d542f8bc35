import type { FileRecord } from "./file-inventory.ts";
import type { FileAspect, FileDifference, FileState, Side } from "./types.ts";

/** Nothing has touched it since the two were one. */
function isUntouched(a: FileRecord, b: FileRecord): boolean {
  return (
    a.changedAtNs === b.changedAtNs &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.mode === b.mode &&
    a.modifiedAtNs === b.modifiedAtNs
  );
}

/** All but the content, which only a digest can tell. */
function aspectsOf(a: FileRecord, b: FileRecord): FileAspect[] {
  if (a.type !== b.type) return ["type"];
  const aspects: FileAspect[] = [];
  if (a.mode !== b.mode) aspects.push("mode");
  if (a.uid !== b.uid || a.gid !== b.gid) aspects.push("owner");
  if (a.target !== b.target) aspects.push("target");
  if (a.type === "file" && a.size !== b.size) aspects.push("content");
  if (a.type.endsWith("device") && a.device !== b.device) aspects.push("content");
  return aspects;
}

function stateOf(record: FileRecord): FileState {
  const { type, mode, uid, gid, size, modifiedAt, target } = record;
  return { type, mode, uid, gid, size, modifiedAt, ...(target === undefined ? {} : { target }) };
}

function touchedBy(
  a: FileRecord | undefined,
  b: FileRecord | undefined,
  since: number | undefined,
): FileDifference["touchedBy"] {
  if (since === undefined) return undefined;
  const isNew = (file: FileRecord | undefined) => file !== undefined && file.changedAt >= since;
  // One that is gone left no time behind: when the other is as old as the fork, it was removed here.
  if (a === undefined || b === undefined) {
    const here: Side = a === undefined ? "b" : "a";
    const there: Side = a === undefined ? "a" : "b";
    return isNew(a ?? b) ? here : there;
  }
  if (isNew(a) && isNew(b)) return "both";
  if (isNew(a)) return "a";
  return isNew(b) ? "b" : undefined;
}

/** Files of the same size that were touched: whether they are the same only their content can tell. */
export function suspects(
  a: ReadonlyMap<string, FileRecord>,
  b: ReadonlyMap<string, FileRecord>,
): string[] {
  const paths: string[] = [];
  for (const [path, left] of a) {
    const right = b.get(path);
    if (right?.type !== "file" || left.type !== "file" || isUntouched(left, right)) continue;
    if (left.size === right.size && left.size > 0) paths.push(path);
  }
  return paths;
}

/** `contentDiffers`: the suspects whose content is not the same. Sorted by path. */
export function compareFiles(
  a: ReadonlyMap<string, FileRecord>,
  b: ReadonlyMap<string, FileRecord>,
  contentDiffers: ReadonlySet<string>,
  since?: number,
): FileDifference[] {
  const differences: FileDifference[] = [];
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const left = a.get(path);
    const right = b.get(path);
    if (left && right && isUntouched(left, right)) continue;
    const aspects = left && right ? aspectsOf(left, right) : [];
    if (contentDiffers.has(path)) aspects.push("content");
    if (left && right && aspects.length === 0) continue;
    const by = touchedBy(left, right, since);
    differences.push({
      path,
      change: left ? (right ? "changed" : "removed") : "added",
      ...(by === undefined ? {} : { touchedBy: by }),
      aspects,
      ...(left ? { a: stateOf(left) } : {}),
      ...(right ? { b: stateOf(right) } : {}),
    });
  }
  return differences.sort((x, y) => (x.path < y.path ? -1 : 1));
}
