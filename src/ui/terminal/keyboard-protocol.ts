import type { XtermCore, XtermTerminal } from "./xterm.ts";

/** All flags the protocol knows. */
const KNOWN_FLAGS = 0x1f;
/** Entries a program may leave on a stack; the oldest go first, as the protocol has it. */
const STACK_LIMIT = 16;

/**
 * The kitty keyboard protocol of one pane: what its program has asked for. Each of the two screens
 * has a stack of its own. Queries are answered only when the outer terminal can do it too, since
 * the keys come from there.
 */
export class KeyboardProtocol {
  private readonly core: XtermCore;
  private readonly stacks: { main: number[]; alternate: number[] } = { main: [], alternate: [] };

  constructor(
    terminal: XtermTerminal,
    core: XtermCore,
    supported: () => boolean,
    reply: (text: string) => void,
  ) {
    this.core = core;
    const { parser } = terminal;
    parser.registerCsiHandler({ prefix: "?", final: "u" }, () => {
      if (supported()) reply(`\x1b[?${this.flags}u`);
      return true;
    });
    parser.registerCsiHandler({ prefix: ">", final: "u" }, (params) => {
      this.push(numberOf(params[0], 0));
      return true;
    });
    parser.registerCsiHandler({ prefix: "<", final: "u" }, (params) => {
      this.stack.splice(-Math.max(1, numberOf(params[0], 1)));
      return true;
    });
    parser.registerCsiHandler({ prefix: "=", final: "u" }, (params) => {
      this.change(numberOf(params[0], 0), numberOf(params[1], 1));
      return true;
    });
    parser.registerEscHandler({ final: "c" }, () => {
      this.stacks.main = [];
      this.stacks.alternate = [];
      return false;
    });
  }

  /** 0: keys come as they always did. */
  get flags(): number {
    return this.stack.at(-1) ?? 0;
  }

  private get stack(): number[] {
    const { active, alt } = this.core.buffers;
    return active === alt ? this.stacks.alternate : this.stacks.main;
  }

  private push(flags: number): void {
    if (this.stack.length === STACK_LIMIT) this.stack.shift();
    this.stack.push(flags & KNOWN_FLAGS);
  }

  private change(flags: number, how: number): void {
    const known = flags & KNOWN_FLAGS;
    const next = how === 2 ? this.flags | known : how === 3 ? this.flags & ~known : known;
    if (this.stack.length === 0) this.stack.push(0);
    this.stack[this.stack.length - 1] = next;
  }
}

function numberOf(parameter: number | number[] | undefined, fallback: number): number {
  return typeof parameter === "number" && parameter > 0 ? parameter : fallback;
}
