import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDir, cacheRoot, statKey } from "./cache-dir.ts";

/** Defaults an image carries in `./machinen-config.json`. */
export interface ImageConfig {
  cmd?: string[];
  env?: Record<string, string>;
  cwd?: string;
}

const MAX_CONFIG_BYTES = 1024 * 1024;
const KEPT_ENTRIES = 200;

/** The configuration in a rootfs tarball, or null when it has none that can be understood. */
export function readImageConfig(imagePath: string): ImageConfig | null {
  const remembered = readCache(imagePath);
  if (remembered !== undefined) return remembered;
  const config = parseImageConfig(extractConfig(imagePath));
  warmImageConfigCache(imagePath, config);
  return config;
}

/**
 * Remember an image's configuration, so that its first boot need not search the tarball. To be
 * called when the tarball is complete; failing to remember is not an error.
 */
export function warmImageConfigCache(imagePath: string, config: ImageConfig | null): void {
  try {
    const path = cachePath(imagePath);
    const staged = `${path}.${process.pid}`;
    writeFileSync(staged, JSON.stringify(config), { mode: 0o600 });
    renameSync(staged, path);
    forgetOldEntries(dirname(path));
  } catch {}
}

/** Entries of tarballs that are gone would otherwise pile up. */
function forgetOldEntries(directory: string): void {
  const entries = readdirSync(directory)
    .map((name) => join(directory, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of entries.slice(KEPT_ENTRIES)) rmSync(path, { force: true });
}

/** Only what has the right shape is taken; null when nothing has. */
export function parseImageConfig(text: string): ImageConfig | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { cmd, env, cwd } = value as Record<string, unknown>;
  const config: ImageConfig = {};
  if (Array.isArray(cmd) && cmd.length > 0 && cmd.every((word) => typeof word === "string"))
    config.cmd = cmd;
  if (typeof cwd === "string" && cwd !== "") config.cwd = cwd;
  if (typeof env === "object" && env !== null && !Array.isArray(env)) {
    const strings = Object.entries(env).filter((pair) => typeof pair[1] === "string");
    if (strings.length > 0) config.env = Object.fromEntries(strings);
  }
  return Object.keys(config).length > 0 ? config : null;
}

function extractConfig(imagePath: string): string {
  const members = ["./machinen-config.json", "machinen-config.json"];
  const result = spawnSync("tar", ["-xOf", imagePath, "--occurrence=1", ...members], {
    encoding: "utf8",
    maxBuffer: MAX_CONFIG_BYTES,
    stdio: ["ignore", "pipe", "ignore"],
  });
  // tar fails when either spelling is missing. A damaged tarball is for the boot itself to report.
  return result.stdout ?? "";
}

function readCache(imagePath: string): ImageConfig | null | undefined {
  try {
    const text = readFileSync(cachePath(imagePath), "utf8");
    return text === "null" ? null : (parseImageConfig(text) ?? undefined);
  } catch {
    return undefined;
  }
}

function cachePath(imagePath: string): string {
  return join(cacheDir(join(cacheRoot(), "image-config")), `${statKey(imagePath)}.json`);
}
