import type { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { Attachment } from "./attachment.ts";
import { type Sandboxes, unknownSandbox } from "./sandboxes.ts";

export interface SupervisorOptions {
  sandboxes: Sandboxes;
  /** Default `process.stdin`. */
  input?: NodeJS.ReadableStream;
  /** Default `process.stdout`. */
  output?: Writable;
  /** What a command begins with. Default `/`. */
  commandPrefix?: string;
  /** Raw mode while attached. Default: when `input` is a terminal. */
  rawTtyOnAttach?: boolean;
  /** The control byte that detaches when it is typed twice. Default Ctrl-] (0x1d). */
  detachKey?: number;
  /** More commands; one with the name of a built-in one takes its place. */
  commands?: readonly SupervisorCommand[];
  /** Pass terminal size changes on to the attached sandbox. Default: when `output` is a terminal. */
  forwardResize?: boolean;
}

/** A command typed while nothing is attached. What `run` throws is shown to the user. */
export interface SupervisorCommand {
  name: string;
  /** `<id>`: it takes one; `[id]`: it may take one. */
  argument?: string;
  description: string;
  run(argument: string, supervisor: Supervisor): void;
}

/** All commands: what is understood, and what the help says. */
const COMMANDS: readonly SupervisorCommand[] = [
  {
    name: "ls",
    description: "list the sandboxes",
    run: (_, supervisor) => supervisor.print(describe(supervisor.sandboxes)),
  },
  {
    name: "attach",
    argument: "<id>",
    description: "join a sandbox; the detach key, typed twice, leaves it",
    run: (id, supervisor) => supervisor.attach(id),
  },
  {
    name: "help",
    description: "show this",
    run: (_, supervisor) => supervisor.print(supervisor.helpText()),
  },
  {
    name: "quit",
    description: "leave; the sandboxes go on",
    run: (_, supervisor) => supervisor.stop(),
  },
];

/** A line longer than this is no command. */
const MAX_LINE = 4096;

/** A text multiplexer on one terminal: commands while detached, raw bytes while attached. */
export class Supervisor {
  readonly sandboxes: Sandboxes;
  private readonly input: NodeJS.ReadableStream;
  private readonly output: Writable;
  private readonly prefix: string;
  private readonly rawTty: boolean;
  private readonly forwardResize: boolean;
  private readonly detachKey: number | undefined;
  private readonly commands: readonly SupervisorCommand[];
  private attachment: Attachment | undefined;
  private decoder = new StringDecoder("utf8");
  private line = "";
  private stopped = false;
  private onStop: (() => void) | undefined;

  constructor(opts: SupervisorOptions) {
    this.sandboxes = opts.sandboxes;
    this.input = opts.input ?? process.stdin;
    this.output = opts.output ?? process.stdout;
    this.detachKey = opts.detachKey;
    const more = opts.commands ?? [];
    const replaced = new Set(more.map(({ name }) => name));
    this.commands = [...more, ...COMMANDS.filter(({ name }) => !replaced.has(name))];
    this.prefix = opts.commandPrefix ?? "/";
    this.rawTty = opts.rawTtyOnAttach ?? isTty(this.input);
    this.forwardResize = opts.forwardResize ?? isTty(this.output);
  }

  /** Run until `stop()` or the end of the input. */
  async run(): Promise<void> {
    if (this.stopped) return;
    const onData = (chunk: Buffer | string) =>
      this.ingest(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    const onEnd = () => this.stop();
    const stopped = new Promise<void>((resolve) => {
      this.onStop = resolve;
    });
    if (this.attachment === undefined) this.print(this.helpText());
    this.input.on("data", onData).on("end", onEnd).on("close", onEnd);
    try {
      await stopped;
    } finally {
      this.input.off("data", onData).off("end", onEnd).off("close", onEnd);
      // An input that flows on would keep the program alive.
      this.input.pause();
    }
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.detach();
    this.onStop?.();
  }

  /** Show a sandbox's last output and join it. @throws {SandboxError} SANDBOX_ID_UNKNOWN */
  attach(id: string): void {
    const entry = this.sandboxes.get(id);
    if (entry === undefined) throw unknownSandbox(id);
    this.detach();
    this.print(`attached to ${id}; ${this.wayOut()} detaches`);
    this.output.write(entry.scrollback);
    this.attachment = new Attachment({
      sandboxes: this.sandboxes,
      id,
      input: this.input,
      output: this.output,
      rawTty: this.rawTty,
      forwardResize: this.forwardResize,
      detachKey: this.detachKey,
    });
    const joined = this.attachment;
    entry.vm.stdout.once("end", () => {
      if (this.attachment === joined) this.detach();
    });
  }

  /** Whether what is typed goes to a sandbox. */
  get attached(): boolean {
    return this.attachment !== undefined;
  }

  detach(): void {
    const { attachment } = this;
    if (attachment === undefined) return;
    this.attachment = undefined;
    attachment.end();
    this.print(`\ndetached from ${attachment.id}`);
  }

  /** @internal */
  print(text: string): void {
    this.output.write(`${text}\n`);
  }

  /** @internal */
  helpText(): string {
    const usages = this.commands.map(
      ({ name, argument }) => this.prefix + [name, argument].filter(Boolean).join(" "),
    );
    const width = Math.max(...usages.map((usage) => usage.length));
    return this.commands
      .map((command, at) => `${usages[at]!.padEnd(width)}  ${command.description}`)
      .join("\n");
  }

  private wayOut(): string {
    const key = `Ctrl-${String.fromCharCode((this.detachKey ?? 0x1d) | 0x40)}`;
    return `${key} ${key}`;
  }

  /** One chunk may attach, type, detach and command again: a pasted script does. */
  private ingest(bytes: Buffer): void {
    let left: Buffer | undefined = bytes;
    while (left !== undefined && left.length > 0 && !this.stopped) {
      if (this.attachment === undefined) {
        left = this.takeLine(left);
      } else {
        left = this.attachment.feed(left);
        if (left !== undefined) this.detach();
      }
    }
  }

  /** Read up to the end of one line, run it, and return what follows. */
  private takeLine(bytes: Buffer): Buffer | undefined {
    const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
    this.line += this.decoder.write(end === -1 ? bytes : bytes.subarray(0, end));
    if (this.line.length > MAX_LINE) this.line = this.line.slice(0, MAX_LINE);
    if (end === -1) return undefined;
    const line = this.line.trim();
    this.line = "";
    if (line !== "") this.handleCommand(line);
    return bytes.subarray(end + 1);
  }

  private handleCommand(line: string): void {
    const hint = `type ${this.prefix}help for the commands`;
    if (!line.startsWith(this.prefix)) {
      this.print(`not attached; ${hint}`);
      return;
    }
    const [name = "", ...words] = line.slice(this.prefix.length).split(/\s+/);
    const argument = words.join(" ");
    const command = this.commands.find((candidate) => candidate.name === name);
    if (command === undefined) this.print(`no command ${this.prefix}${name}; ${hint}`);
    else if (command.argument?.startsWith("<") && argument === "") {
      this.print(`usage: ${this.prefix}${name} ${command.argument}`);
    } else {
      try {
        command.run(argument, this);
      } catch (error) {
        this.print(error instanceof Error ? error.message : String(error));
      }
    }
  }
}

function describe(sandboxes: Sandboxes): string {
  const items = sandboxes.list();
  if (items.length === 0) return "no sandboxes";
  const width = Math.max(...items.map(({ id }) => id.length));
  return items
    .map(({ id, addedAt }) => {
      const vm = sandboxes.get(id)?.vm;
      const state = vm === undefined || vm.stdout.readableEnded ? "ended" : "running";
      const seconds = Math.floor((Date.now() - addedAt) / 1000);
      return `${id.padEnd(width)}  ${state.padEnd(7)}  ${seconds}s`;
    })
    .join("\n");
}

function isTty(stream: unknown): boolean {
  return (stream as { isTTY?: boolean }).isTTY === true;
}
