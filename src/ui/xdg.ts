import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** A file of ours in one of the user's XDG directories; relative ones are ignored, as XDG says. */
function xdgFile(variable: string, fallback: string, file: string): string {
  const wanted = process.env[variable] ?? "";
  const base = isAbsolute(wanted) ? wanted : join(homedir(), fallback);
  return join(base, "machinen", file);
}

export function configFile(): string {
  return xdgFile("XDG_CONFIG_HOME", ".config", "config.toml");
}

/** Tabs, layouts and selection of the last time. */
export function workspaceFile(): string {
  return xdgFile("XDG_STATE_HOME", ".local/state", "workspace.json");
}
