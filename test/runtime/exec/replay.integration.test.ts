import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { SessionHandle } from "../../../src/runtime/host/host.ts";
import { createLocalHost } from "../../../src/runtime/host/local-host.ts";
import { PaneTerminal } from "../../../src/ui/terminal/pane-terminal.ts";
import { paneModes } from "../../ui/support/terminal-state.ts";
import { bases } from "../machine/bases.ts";
import { useScratch } from "../machine/scratch.ts";

const scratch = useScratch();
const host = createLocalHost();
const clients: Client[] = [];
let machine = "";

afterAll(() => scratch.remove());

/** A terminal attached to a session of the guest. */
class Client {
  readonly terminal = new PaneTerminal({ cols: 80, rows: 24, kittyKeyboard: () => true });
  /** The end of what was drawn, and how much that was. */
  tail = "";
  bytes = 0;
  private session: SessionHandle | undefined;

  async attach(name: string, command: string): Promise<this> {
    clients.push(this);
    this.session = await host.openSession(machine, {
      name,
      command,
      cols: 80,
      rows: 24,
      onReplay: (replay) => {
        this.terminal.replay(replay);
        this.note(replay.bytes);
      },
    });
    this.session.stdout.on("data", (bytes: Buffer) => {
      this.terminal.write(bytes);
      this.note(bytes);
    });
    return this;
  }

  type(text: string): void {
    this.session!.stdin.write(text);
  }

  shows(text: string): Promise<void> {
    return vi.waitFor(() => expect(this.tail).toContain(text), { timeout: 60_000, interval: 20 });
  }

  close(): void {
    this.session?.close();
    this.terminal.dispose();
  }

  private note(bytes: Buffer): void {
    this.bytes += bytes.length;
    this.tail = (this.tail + bytes.toString("latin1")).slice(-200);
  }
}

const settings = [
  "\\033[22;0t\\033]2;notes - VIM\\007",
  "\\033[35m\\0337",
  "\\r\\033[3g    \\033H    \\033H\\r",
  "\\033[>1u\\033[?1049h\\033[>15u",
  "\\033[?1h\\033=\\033[?2004h\\033[?1004h\\033[?1002h\\033[?1006h\\033[?25l\\033[4 q",
  "\\033[?6h\\033[4h\\033[5;20r\\033)0\\016",
  "\\033[1;4:3;38;5;130;48;2;1;2;3m",
].join("");

/** More than the ring holds, without sequences; then a word nobody types. */
const flood = `yes "a line of text" | head -c 1500000; printf '\\033[?7lDONE'`;

describe.each(bases)("a session of the $name base", ({ hostOptions }) => {
  beforeAll(async () => {
    machine = (await host.boot(hostOptions)).id;
  });
  afterAll(async () => {
    for (const client of clients.splice(0)) client.close();
    await host.stop(machine, { graceMs: 0 });
  });

  test("shows a client that comes after more output than is kept the modes that were set before it", async () => {
    const command = `stty -echo; printf '${settings}'; read x; ${flood}; read x; printf '\\033cEND'; read x`;
    const first = await new Client().attach("modes", command);
    await first.shows("48;2;1;2;3m");
    const before = paneModes(first.terminal);
    first.type("\n");
    await first.shows("DONE");
    // What the flood itself set is in what is replayed; what was set before is not.
    const after = paneModes(first.terminal);
    expect(after).not.toEqual(before);
    const second = await new Client().attach("modes", command);
    await second.shows("DONE");
    expect(second.bytes).toBeLessThan(first.bytes);
    expect(paneModes(second.terminal)).toEqual(after);

    // A reset reaches both, and one that comes later has nothing left of it all.
    first.type("\n");
    await Promise.all([first.shows("END"), second.shows("END")]);
    const third = await new Client().attach("modes", command);
    await third.shows("END");
    expect(paneModes(third.terminal)).toEqual(paneModes(second.terminal));
    expect(third.terminal.modes).toMatchObject({ alternateScreen: false, mouse: "none" });
  });
});
