import type { Command } from "../command.ts";
import { attach } from "./attach.ts";
import { boot } from "./boot.ts";
import { cp } from "./cp.ts";
import { diff } from "./diff.ts";
import { doctor } from "./doctor.ts";
import { exec } from "./exec.ts";
import { fork } from "./fork.ts";
import { gc } from "./gc.ts";
import { install } from "./install.ts";
import { ls } from "./ls.ts";
import { provision } from "./provision.ts";
import { restore } from "./restore.ts";
import { snapshot } from "./snapshot.ts";
import { stop } from "./stop.ts";
import { tui } from "./tui.ts";

/** Every command, in the order the help lists them. */
export const commands: Command[] = [
  tui,
  boot,
  ls,
  exec,
  cp,
  attach,
  fork,
  diff,
  snapshot,
  restore,
  stop,
  provision,
  gc,
  install,
  doctor,
];
