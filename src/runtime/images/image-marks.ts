import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

/*
 * A cached image carries `.ok` when its last user released it cleanly. It is handed out without the
 * mark, together with a note of its state: an image that lost its mark but has not been touched
 * since is as good as new, so that machines may share one that none of them writes to.
 */

/** Say that an image was released whole. Never throws. */
export function markClean(image: string): void {
  try {
    if (existsSync(image)) writeFileSync(`${image}.ok`, "");
  } catch {}
}

/** Whether an image is there and was released cleanly. */
export function isReleased(image: string): boolean {
  return existsSync(image) && existsSync(`${image}.ok`);
}

/** Whether an image is as it was when it was last handed out. */
export function isUntouched(image: string): boolean {
  try {
    return readFileSync(`${image}.handed-out`, "utf8") === identity(image);
  } catch {
    return false;
  }
}

/** Whether an image is there and either released cleanly or unchanged since it was handed out. */
export function isUsable(image: string): boolean {
  return isReleased(image) || (existsSync(image) && isUntouched(image));
}

/** Note the image's state and take its mark away. */
export function handOut(image: string): void {
  const note = `${image}.handed-out`;
  const staged = `${note}.${process.pid}`;
  writeFileSync(staged, identity(image));
  renameSync(staged, note); // another process may be reading it right now
  rmSync(`${image}.ok`, { force: true });
}

function identity(image: string): string {
  const { ino, size, mtimeNs } = statSync(image, { bigint: true });
  return `${ino} ${size} ${mtimeNs}\n`;
}
