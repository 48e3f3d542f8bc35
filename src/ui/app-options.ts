import type { Host } from "../runtime/host/host.ts";
import type { Config } from "./config/parse-config.ts";
import type { ColourDepth } from "./screen/painter.ts";
import type { Theme } from "./theme.ts";

/** What the UI is started with. */
export interface AppOptions {
  /** Where tabs, layouts and selection outlive the program. */
  workspaceFile: string;
  host: Host;
  stdin: NodeJS.ReadableStream;
  cols: number;
  rows: number;
  config: Config;
  depth: ColourDepth;
  theme: Theme;
  ascii: boolean;
  bootWhenEmpty: number;
  onQuit(): void;
  onSuspend(): void;
}
