import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId } from "../registry/process.ts";
import type { Template } from "./store.ts";

/*
 * Sizes and times do not tell of a byte that a disk gave back wrong. What has been read once since the host started
 * is in its memory; so the first machine has its template verified, and the others take its word for it.
 */

const NOTE = "verified";

/** Of this template and this start of the host; undefined where the latter has no name. */
function wordsFor(template: Template): string | undefined {
  try {
    return `${bootId()} ${template.instance}\n`;
  } catch {
    return undefined;
  }
}

/** A machine has started since the host has, from just this template, with its sums looked at. */
export function isVerified(template: Template): boolean {
  try {
    return readFileSync(join(template.directory, NOTE), "utf8") === wordsFor(template);
  } catch {
    return false;
  }
}

export function noteVerified(template: Template): void {
  const words = wordsFor(template);
  if (words === undefined || isVerified(template)) return;
  try {
    writeFileSync(join(template.directory, NOTE), words, { mode: 0o600 });
  } catch {
    // The template is gone, or its disk is full: the next machine looks again.
  }
}
