import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { registryRoot } from "../registry/index.ts";

/*
 * <registry>/.bundles/<name of a partial bundle>: the directory it lies in. Bundles may be written anywhere: this is
 * how what a killed process left of one is found again.
 */
const notesDir = (): string => join(registryRoot(), ".bundles");
const noteOf = (partial: string): string => join(notesDir(), basename(partial));

/** To be called before the directory is made. */
export function notePartial(partial: string): void {
  mkdirSync(notesDir(), { recursive: true, mode: 0o700 });
  writeFileSync(noteOf(partial), dirname(partial), { mode: 0o600 });
}

/** To be called when it is there no more under this name. */
export function forgetPartial(partial: string): void {
  rmSync(noteOf(partial), { force: true });
}

/** The partial bundles that are noted, there or not. */
export function notedPartials(): string[] {
  try {
    return readdirSync(notesDir()).map((name) =>
      join(readFileSync(join(notesDir(), name), "utf8"), name),
    );
  } catch {
    return [];
  }
}
