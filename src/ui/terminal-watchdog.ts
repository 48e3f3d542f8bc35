import { spawn } from "node:child_process";

export interface Watchdog {
  /** The terminal has been given back properly: it ends without touching it. */
  dismiss(): void;
}

/**
 * Waits for the TUI to vanish. `saved` is the line discipline from before; it is put back only when
 * the terminal is still raw (`-isig`), because a shell may have taken it over by then.
 */
const script = `saved=$(stty -g <&3 2>/dev/null); echo ready
read -r word && exit 0
printf '%b' "$RESET" >&3
case "$(stty -a <&3 2>/dev/null)" in *-isig*) stty "$saved" <&3;; esac`;

/** How long the start may wait for it: a TUI without it is better than none. */
const readyMs = 3000;

/**
 * A kill -9 leaves nobody who could reset the terminal, so a tiny shell in a session of its own
 * waits on a pipe from us: a word means all is well, the end of the pipe means we were killed.
 */
export function startWatchdog(
  terminal: NodeJS.WriteStream,
  sequence: string,
): Promise<Watchdog | undefined> {
  const fd = (terminal as unknown as { fd?: number }).fd;
  if (fd === undefined || !terminal.isTTY) return Promise.resolve(undefined);
  const bytes = [...Buffer.from(sequence)].map((byte) => `\\0${byte.toString(8)}`).join("");
  const child = spawn("/bin/sh", ["-c", script, "machinen-watchdog"], {
    detached: true,
    stdio: ["pipe", "pipe", "ignore", fd],
    cwd: "/",
    env: { ...process.env, RESET: bytes },
  });
  child.unref();
  const { stdin, stdout } = child;
  if (!stdin || !stdout) return Promise.resolve(undefined);
  stdin.on("error", () => {});
  (stdin as unknown as { unref?(): void }).unref?.();
  const watchdog = { dismiss: () => void stdin.end("bye\n") };
  return new Promise((resolve) => {
    const settle = (result: Watchdog | undefined): void => {
      clearTimeout(timer);
      stdout.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle(watchdog), readyMs);
    child.once("error", () => settle(undefined));
    stdout.once("data", () => settle(watchdog));
    stdout.once("end", () => settle(undefined));
  });
}
