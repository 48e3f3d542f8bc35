import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Alert, alertMark, moreUrgent, nextAlert } from "../../../src/ui/attention/alert.ts";
import { Attention } from "../../../src/ui/attention/attention.ts";
import {
  DesktopRequests,
  type DesktopRequestsOptions,
} from "../../../src/ui/attention/desktop-requests.ts";
import { PaneWatch } from "../../../src/ui/attention/pane-watch.ts";
import type { HostTasks } from "../../../src/ui/host-tasks.ts";
import { type Action, initialState, reduce, type UiState } from "../../../src/ui/state.ts";
import type { ShellState } from "../../../src/ui/terminal/prompts.ts";

const alert = (kind: Alert["kind"], at = 0): Alert => ({ kind, at });

describe("alerts", () => {
  it("go to the most urgent, among equals to the oldest", () => {
    expect(nextAlert({})).toBeUndefined();
    const alerts = { a: alert("activity", 1), b: alert("bell", 9), c: alert("bell", 5) };
    expect(nextAlert(alerts)).toBe("c");
    expect(moreUrgent(alert("bell"), alert("silence")).kind).toBe("bell");
    expect(moreUrgent(alert("activity"), alert("silence")).kind).toBe("silence");
    expect(alertMark({ kind: "failed", at: 0, exitCode: 2 })).toBe("✗2");
  });
});

describe("PaneWatch", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const unknown: ShellState = { at: "unknown", finished: 0 };

  function watch(silenceMs = 1000) {
    const seen: string[] = [];
    const onAlert = (kind: string, code?: number) => seen.push(kind + (code ?? ""));
    const pane = new PaneWatch({ silenceMs, onAlert });
    const write = (shell: ShellState) => pane.output(shell, performance.now());
    const work = (ms: number, shell = unknown) => {
      for (let t = 0; t < ms; t += 500) {
        write(shell);
        vi.advanceTimersByTime(500);
      }
    };
    return { seen, write, work, last: () => seen.filter((kind) => kind !== "activity") };
  }

  it("marks the silence after work, once, and not that after a few lines", () => {
    const short = watch();
    short.work(1000);
    vi.advanceTimersByTime(60_000);
    expect(short.last()).toEqual([]);
    const long = watch();
    long.work(8000);
    expect(long.last()).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(long.last()).toEqual(["silence"]);
  });

  it("takes a prompt for no silence, and never says it when that is off", () => {
    const prompt = watch();
    prompt.work(8000, { at: "command", finished: 0 });
    prompt.write({ at: "prompt", finished: 1, exitCode: 2 });
    vi.advanceTimersByTime(60_000);
    expect(prompt.last()).toEqual(["failed2"]);
    const off = watch(0);
    off.work(8000);
    vi.advanceTimersByTime(60_000);
    expect(off.last()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("Attention", () => {
  it("holds nothing against a session that its commands came to before it was shown", () => {
    const two = ["1", "2"].map((id) => ({
      id,
      pid: Number(id),
      state: "running" as const,
      startedAt: 0,
    }));
    const live = (id: string): Action => ({ type: "pane-changed", id, status: { kind: "live" } });
    let state = [
      { type: "listed", machines: two, now: 0 } satisfies Action,
      live("1/main"),
      live("2/main"),
    ].reduce<UiState>(reduce, initialState(120, 40, 0));
    const attention = new Attention({
      silenceMs: 0,
      onBell: () => {},
      dispatch: (action) => {
        state = reduce(state, action);
        attention.sync(state);
      },
    });
    attention.sync(state);
    const before: ShellState = { at: "prompt", finished: 4, exitCode: 127 };
    attention.began("2/main", before);
    expect(state.shells["2/main"]).toBe("prompt");
    attention.output("2/main", before);
    expect(state.alerts).toEqual({});
    attention.output("2/main", { at: "prompt", finished: 5, exitCode: 3 });
    expect(state.alerts["2/main"]).toMatchObject({ kind: "failed", exitCode: 3 });
    attention.close();
  });
});

describe("DesktopRequests", () => {
  function requests(settings: Partial<DesktopRequestsOptions>, muted = false) {
    const log: string[] = [];
    const made = new DesktopRequests({
      clipboard: "ask",
      notifications: false,
      ...settings,
      tasks: { inform: (text: string) => log.push(text) } as unknown as HostTasks,
      allowKey: () => "y",
      nameOf: (id) => id,
      isMuted: () => muted,
      setClipboard: (text) => log.push(`SET ${text}`) > 0,
      notify: (title, body) => void log.push(`NOTIFY ${title} ${body}`),
      onUnshown: (id) => void log.push(`BELL ${id}`),
    });
    return { made, log };
  }
  const clip = (text: string) => ({ kind: "clipboard", text }) as const;
  const note = { kind: "notify", title: "", body: "done" } as const;

  it("asks before the clipboard is set, and sets what was asked for first", () => {
    const { made, log } = requests({});
    made.handle("m1", clip("one"));
    made.handle("m1", clip("rm -rf"));
    expect(log).toEqual(["m1 wants to put 3 characters on the clipboard: y allows it"]);
    made.allowClipboard();
    expect(log.slice(1)).toEqual(["SET one", "copied 3 characters from m1"]);
    made.allowClipboard();
    expect(log.at(-1)).toBe("no program asks for the clipboard");
  });

  it("does as it is told", () => {
    const denied = requests({ clipboard: "deny" });
    denied.made.handle("m1", clip("x"));
    denied.made.allowClipboard();
    expect(denied.log).toEqual(["no program asks for the clipboard"]);
    const allowed = requests({ clipboard: "allow" });
    allowed.made.handle("m1", clip("x"));
    expect(allowed.log).toEqual(["SET x"]);
  });

  it("shows notifications only when that is wanted and the machine is not muted", () => {
    const log = (settings: Partial<DesktopRequestsOptions>, muted = false) => {
      const { made, log } = requests(settings, muted);
      made.handle("m1", note);
      return log;
    };
    expect(log({})).toEqual(["BELL m1"]);
    expect(log({ notifications: true })).toEqual(["NOTIFY m1 done"]);
    expect(log({ notifications: true }, true)).toEqual([]);
  });
});
