import { readFileSync } from "node:fs";
import { describeError } from "../errors.ts";
import { configFile } from "../xdg.ts";
import { type Config, defaultConfig, parseConfig } from "./parse-config.ts";

/** The user's configuration, and a line for everything in it that does not count. */
export function loadConfig(file = configFile()): { config: Config; problems: string[] } {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return { config: defaultConfig, problems: [] };
    }
    const text = `configuration ${file}: ${describeError(error)}; the defaults are used`;
    return { config: defaultConfig, problems: [text] };
  }
  const { config, problems } = parseConfig(source);
  return { config, problems: problems.map(({ line, text }) => `${file}:${line}: ${text}`) };
}
