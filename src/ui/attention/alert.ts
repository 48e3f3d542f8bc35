import type { PaneId } from "../layout/pane-id.ts";

/** Why a pane wants to be looked at, the most urgent first. */
export const alertKinds = ["bell", "failed", "exit", "finished", "silence", "activity"] as const;
export type AlertKind = (typeof alertKinds)[number];

export interface Alert {
  kind: AlertKind;
  /** ms since the epoch */
  at: number;
  /** Of the command or shell that ended. */
  exitCode?: number;
}

/** The one of two alerts of a pane that is shown: a lesser one never hides a more urgent one. */
export function moreUrgent(one: Alert | undefined, other: Alert): Alert {
  return one && urgency(one) <= urgency(other) ? one : other;
}

/** The pane to look at next: the most urgent alert, among equals the oldest. */
export function nextAlert(alerts: Readonly<Record<PaneId, Alert>>): PaneId | undefined {
  return Object.entries(alerts).sort(
    ([, a], [, b]) => urgency(a) - urgency(b) || a.at - b.at,
  )[0]?.[0];
}

/** The mark in the sidebar; one or a few ASCII or narrow characters. */
export function alertMark({ kind, exitCode }: Alert): string {
  switch (kind) {
    case "bell":
      return "!";
    case "failed":
      return `✗${exitCode ?? ""}`;
    case "exit":
      return `■${exitCode ?? ""}`;
    case "finished":
      return "✓";
    case "silence":
      return "~";
    case "activity":
      return "+";
  }
}

function urgency({ kind }: Alert): number {
  return alertKinds.indexOf(kind);
}
