import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packageRoot } from "../../../src/runtime/package-root.ts";
import type { Base } from "../../runtime/machine/bases.ts";

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * A registry, run directory and home of their own for one test file, so that tests run beside each
 * other and beside the user's machines. Assets and caches stay the user's: they are immutable.
 */
export class World {
  readonly directory = mkdtempSync(join(tmpdir(), "mw-"));
  readonly registry = join(this.directory, "vms");
  readonly binary = join(packageRoot(), "bin", "machinen");
  private readonly configuration = join(this.directory, ".config", "machinen", "config.toml");
  readonly env: NodeJS.ProcessEnv;
  private readonly base: Base | undefined;

  /** Machines are of this base, also those that the screen boots. */
  constructor(base?: Base) {
    this.base = base;
    const { TMUX: _tmux, CI: _ci, NO_COLOR: _noColor, ...inherited } = process.env;
    this.env = {
      ...inherited,
      HOME: this.directory,
      MACHINEN_CACHE_DIR: process.env.MACHINEN_CACHE_DIR ?? join(homedir(), ".cache", "machinen"),
      XDG_RUNTIME_DIR: this.directory,
      XDG_CONFIG_HOME: join(this.directory, ".config"),
      XDG_STATE_HOME: join(this.directory, ".state"),
      MACHINEN_ASSETS_DIR:
        process.env.MACHINEN_ASSETS_DIR ?? join(homedir(), ".machinen", "assets"),
      MACHINEN_REGISTRY_DIR: this.registry,
      LANG: "C.UTF-8",
      TERM: "xterm-256color",
      SHELL: "/bin/sh",
    };
    if (base === undefined) return;
    const { image, memoryMib } = base.hostOptions;
    mkdirSync(dirname(this.configuration), { recursive: true });
    writeFileSync(this.configuration, `[new-machine]\nimage = "${image}"\nmemory = ${memoryMib}\n`);
  }

  /** Boots a machine of the base; resolves when it answers. */
  async boot(name: string): Promise<void> {
    const { image, memoryMib } = this.base!.hostOptions;
    await this.ok(["boot", name, "--image", image!, "--memory", String(memoryMib)]);
  }

  /** Run the real CLI to its end with nothing on a terminal. */
  run(
    args: string[],
    options: { input?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Finished> {
    const child = spawn(this.binary, args, { env: { ...this.env, ...options.env } });
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) =>
        resolve({
          code,
          stdout: Buffer.concat(out).toString(),
          stderr: Buffer.concat(err).toString(),
        }),
      );
    });
  }

  /** Run it and insist on success. */
  async ok(args: string[], options: { input?: string } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0)
      throw new Error(`machinen ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  async machines(): Promise<Array<{ pid: number; name?: string; state: string }>> {
    return JSON.parse(await this.ok(["ls", "--json"]));
  }

  /** Pids of live VMMs and their QEMUs that belong to this world. */
  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && belongsTo(pid, this.directory));
  }

  /** Files and sockets left outside the home-like parts that are meant to stay. */
  leftovers(): string[] {
    return readdirSync(this.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .filter((file) => file !== this.configuration);
  }

  /** End what a failed test left running, by pid, and remove the directory. */
  dispose(): void {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself in between.
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A process is ours when its environment or its arguments name our directory and it is no zombie. */
function belongsTo(pid: number, directory: string): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (status.slice(status.lastIndexOf(")") + 2)[0] === "Z") return false;
    return ["environ", "cmdline"].some((file) =>
      readFileSync(`/proc/${pid}/${file}`).includes(directory),
    );
  } catch {
    return false;
  }
}

/** Try until `attempt` gives something truthy. */
export async function eventually<T>(
  what: string,
  attempt: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await attempt();
    if (value) return value as NonNullable<T>;
    if (Date.now() > end) throw new Error(`gave up after ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
