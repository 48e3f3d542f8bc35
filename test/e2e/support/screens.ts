import { afterAll, afterEach, beforeAll } from "vitest";
import type { Base } from "../../runtime/machine/bases.ts";
import type { OuterTerminal } from "../../ui/support/outer-terminal.ts";
import { onTerminal } from "./screen.ts";
import { World } from "./world.ts";

/** The first boot of an image prepares what later ones start from. */
const BOOT_MS = 300_000;

export interface Screens {
  world: World;
  /** The real program on a terminal of its own, until the test has ended. */
  open(args: string, cols?: number, rows?: number): OuterTerminal;
}

/** A world for the tests of one file or of one base, with machines that they share. */
export function useScreens(machines: readonly string[], base?: Base): Screens {
  const world = new World(base);
  const opened: OuterTerminal[] = [];
  beforeAll(async () => {
    for (const name of machines) {
      await world.boot(name);
    }
  }, BOOT_MS);
  afterEach(() => {
    for (const terminal of opened.splice(0)) terminal.kill("SIGKILL");
  });
  afterAll(() => world.dispose());
  return {
    world,
    open: (args, cols, rows) => {
      const terminal = onTerminal(world, args, cols, rows);
      opened.push(terminal);
      return terminal;
    },
  };
}
