import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packageRoot } from "../../src/runtime/package-root.ts";

export const vmmBinary =
  process.env.MACHINEN_TEST_VMM || join(packageRoot(), "vmm/build/machinen-vmm");

/** Kernel and modules that `machinen install kernel` lays out. */
function kernelFiles(): { kernel: string; modules: string } {
  const assets = process.env.MACHINEN_ASSETS_DIR || join(homedir(), ".machinen", "assets");
  const kernel = process.env.MACHINEN_TEST_KERNEL || join(assets, "vmlinux-amd64");
  const modules = join(dirname(kernel), "modules-amd64");
  if (!existsSync(kernel) || !existsSync(modules)) {
    throw new Error(
      `these tests boot real guests and need a kernel: ${kernel} and ${modules} are not both there. ` +
        "Run `machinen install kernel`, or set MACHINEN_TEST_KERNEL (modules-amd64/ beside it) or MACHINEN_ASSETS_DIR",
    );
  }
  return { kernel, modules };
}

/** A scratch directory that goes when the test file ends. */
export function scratchDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "mvmm-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The smallest guest: the agent as PID 1 over a busybox. */
export function makeInitramfs(directory: string, config: object = {}): string {
  const tree = mkdtempSync(join(directory, "tree-"));
  const out = `${tree}.cpio`;
  const agent = join(packageRoot(), "guest/build/machinen-init");
  if (!existsSync(agent)) throw new Error(`${agent} is missing: run \`make -C guest\``);
  for (const name of [
    "bin",
    "dev",
    "proc",
    "sys",
    "tmp",
    "run",
    "etc",
    "root",
    "lib/machinen",
    "mnt",
  ]) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  cpSync(kernelFiles().modules, join(tree, "lib/machinen/modules"), { recursive: true });
  copyFileSync(
    join(tree, "lib/machinen/modules/modules.list"),
    join(tree, "lib/machinen/modules.list"),
  );
  copyFileSync(agent, join(tree, "init"));
  copyFileSync("/bin/busybox", join(tree, "bin/busybox"));
  for (const path of ["init", "bin/busybox"]) chmodSync(join(tree, path), 0o755);
  for (const applet of execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" })
    .trim()
    .split("\n")) {
    if (applet !== "busybox") execFileSync("ln", ["-sf", "busybox", join(tree, "bin", applet)]);
  }
  writeFileSync(join(tree, "machinen-config.json"), JSON.stringify(config));
  execFileSync("sh", ["-c", `cd "${tree}" && find . | cpio -o -H newc --quiet > "${out}"`]);
  rmSync(tree, { recursive: true });
  return out;
}

export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Reads whole agent frames; calls back with kind, argument line and payload. */
export class FrameReader {
  private held: Buffer = Buffer.alloc(0);
  private readonly onFrame: (kind: string, line: string, payload: Buffer) => void;
  constructor(onFrame: (kind: string, line: string, payload: Buffer) => void) {
    this.onFrame = onFrame;
  }
  push(chunk: Buffer): void {
    this.held = this.held.length ? Buffer.concat([this.held, chunk]) : chunk;
    for (;;) {
      const end = this.held.indexOf(10);
      if (end < 0) return;
      const line = this.held.subarray(0, end).toString();
      const kind = line[0]!;
      const length = "BOE".includes(kind) ? Number(line.slice(2)) : 0;
      if (this.held.length < end + 1 + length) return;
      const payload = this.held.subarray(end + 1, end + 1 + length);
      this.held = this.held.subarray(end + 1 + length);
      this.onFrame(kind, line.slice(2), payload);
    }
  }
}

export class Machine {
  readonly process: ChildProcess;
  readonly runDir: string;
  console = "";
  stdout = "";
  readonly ended: Promise<{ code: number | null; signal: string | null }>;

  /** `command` must become the VMM. */
  constructor(directory: string, env: Record<string, string>, command = [vmmBinary]) {
    this.runDir = mkdtempSync(join(directory, "run-"));
    chmodSync(this.runDir, 0o700);
    this.process = spawn(command[0]!, command.slice(1), {
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        MACHINEN_ACCEL: "tcg",
        MACHINEN_MEMORY: "256",
        MACHINEN_RUN_DIR: this.runDir,
        MACHINEN_CONTROL: join(this.runDir, "control"),
        MACHINEN_STATS_FILE: join(this.runDir, "stats"),
        MACHINEN_VSOCK: `in:1978:${join(this.runDir, "exec")},in:1970:${join(this.runDir, "agent")}`,
        ...env,
      },
    });
    this.process.stderr!.on("data", (chunk: Buffer) => (this.console += chunk.toString()));
    this.process.stdout!.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stdin!.on("error", () => {});
    this.ended = new Promise((resolve) =>
      this.process.on("close", (code, signal) => resolve({ code, signal })),
    );
  }

  /** A cold boot. */
  static boot(
    directory: string,
    initrd: string,
    env: Record<string, string> = {},
    command?: string[],
  ): Machine {
    const variables = { MACHINEN_KERNEL: kernelFiles().kernel, MACHINEN_INITRD: initrd, ...env };
    return new Machine(directory, variables, command);
  }

  fork(directory: string, env: Record<string, string> = {}): Machine {
    return new Machine(directory, { MACHINEN_INCOMING: `fork:${this.path("control")}`, ...env });
  }

  /** Boots like others of its kind did before: from what save() wrote. */
  static template(directory: string, saved: string, env: Record<string, string> = {}): Machine {
    return new Machine(directory, { MACHINEN_INCOMING: `template:${saved}`, ...env });
  }

  /** Writes a bundle, which is a template, too. */
  save(directory: string): string {
    execFileSync(vmmBinary, ["save", this.path("control"), directory], { stdio: "pipe" });
    return directory;
  }

  path(socket: "control" | "exec" | "agent" | "stats"): string {
    return join(this.runDir, socket);
  }

  /** Connects as soon as the socket is there; fails when the VMM ends first. */
  async connect(socket: "control" | "exec" | "agent"): Promise<Socket> {
    for (;;) {
      const connection = await new Promise<Socket | undefined>((resolve) => {
        const attempt = connect({ path: this.path(socket), allowHalfOpen: true });
        attempt.once("connect", () => resolve(attempt));
        attempt.once("error", () => resolve(undefined));
      });
      if (connection) return connection;
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(
          `machinen-vmm ended with ${this.process.exitCode ?? this.process.signalCode}: ${this.console}`,
        );
      }
      await sleep(20);
    }
  }

  /** One request on the control socket. */
  async control(request: string): Promise<Record<string, unknown> & { ok: boolean }> {
    const connection = await this.connect("control");
    connection.end(`${request}\n`);
    const answer = await readAll(connection);
    return JSON.parse(answer.subarray(0, answer.indexOf(10)).toString());
  }

  async exec(command: string): Promise<ExecResult> {
    const connection = await this.connect("exec");
    const text = Buffer.from(command);
    connection.write(`EXEC2 ${text.length}\n`);
    connection.write(text);
    return new Promise((resolve, reject) => {
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      const reader = new FrameReader((kind, line, payload) => {
        if (kind === "O") stdout.push(Buffer.from(payload));
        if (kind === "E") stderr.push(Buffer.from(payload));
        if (kind === "!") reject(new Error(line));
        if (kind === "X") {
          connection.destroy();
          resolve({
            code: Number(line),
            stdout: Buffer.concat(stdout).toString(),
            stderr: Buffer.concat(stderr).toString(),
          });
        }
      });
      connection.on("data", (chunk) => reader.push(chunk));
      connection.on("error", reject);
      connection.on("close", () =>
        reject(new Error(`the connection ended before the command; console: ${this.console}`)),
      );
    });
  }

  /** Standard output of a command that must succeed. */
  async run(command: string): Promise<string> {
    const result = await this.exec(command);
    if (result.code !== 0) throw new Error(`${command}: exit ${result.code}: ${result.stderr}`);
    return result.stdout;
  }

  async quit(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.ended;
  }
}

export function readAll(connection: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    connection.on("data", (chunk: Buffer) => chunks.push(chunk));
    connection.on("end", () => resolve(Buffer.concat(chunks)));
    connection.on("error", reject);
  });
}

/**
 * So many lines. The connection stays open meanwhile: libuv takes a hang-up after a short read for the end,
 * and reads of a unix socket are short where descriptors came along.
 */
export function readLines(connection: Socket, count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let text = "";
    connection.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split("\n");
      if (lines.length > count) resolve(lines.slice(0, count));
    });
    connection.on("close", () => reject(new Error(`the connection ended after: ${text}`)));
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Polls until `check` gives something true. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(25);
  }
}

/** Is this process there and not a zombie? */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
