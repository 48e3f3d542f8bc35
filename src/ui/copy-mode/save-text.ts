import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fromHome } from "../from-home.ts";

/** The file offered for what is copied from a pane. */
export function defaultFile(name: string, now = new Date()): string {
  const moment = now.toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
  return `~/${name.replace(/[^\w.-]+/g, "-")}-${moment}.txt`;
}

/** Writes a new file only its owner can read; never over an old one. Resolves to its full path. */
export async function saveText(file: string, text: string): Promise<string> {
  const path = resolve(fromHome(file));
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST" ? "is there already: choose another name" : (error as Error).message;
    throw Object.assign(new Error(`${path}: ${why}`), { code: "COPY_FILE_FAILED" });
  }
  return path;
}
