import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { ParseError } from "../errors.ts";

/** Where live machines are recorded: `~/.machinen/vms`, or `MACHINEN_REGISTRY_DIR`. */
export function registryRoot(): string {
  const override = process.env.MACHINEN_REGISTRY_DIR;
  return override ? resolve(override) : join(homedir(), ".machinen", "vms");
}

export const entryDir = (pid: number): string => join(registryRoot(), String(pid));
export const metaPath = (pid: number): string => join(entryDir(pid), "meta.json");
export const namesDir = (): string => join(registryRoot(), "names");
export const locksDir = (): string => join(registryRoot(), ".locks");
export const stagingDir = (): string => join(registryRoot(), ".staging");

/** A name is a directory that holds this file, so that `worker` and `worker/1` can both exist. */
export const PIN_FILE = ".pin";
export const pinPath = (name: string): string => join(namesDir(), name, PIN_FILE);

const MAX_NAME_BYTES = 200;

/** Refuse names that would leave the names directory, hide in it, or spoil a terminal. */
export function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) {
    throw new ParseError("PARSE_FLAG_MALFORMED", `bad name ${JSON.stringify(name)}: ${problem}`);
  }
}

function nameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `it is longer than ${MAX_NAME_BYTES} bytes`;
  if (/[\x00-\x1f\x7f-\x9f]/.test(name)) return "it holds control characters";
  if (name.startsWith("/")) return "it begins with a slash";
  for (const part of name.split("/")) {
    if (part === "") return "a part between slashes is empty";
    if (part.startsWith(".")) return "a part begins with a dot";
  }
  return undefined;
}

/** `<name>/<last>`, with as much of `name` as a name has room for: forks of forks get ever longer ones. */
export function nameBelow(name: string, last: string): string {
  const room = MAX_NAME_BYTES - Buffer.byteLength(last) - 1;
  let kept = "";
  for (const character of name) {
    if (Buffer.byteLength(kept) + Buffer.byteLength(character) > room) break;
    kept += character;
  }
  return `${kept.replace(/\/+$/, "")}/${last}`;
}
