import type { UiState } from "./state.ts";

const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

export function spin(now: number): string {
  return spinner[Math.floor(now / 100) % spinner.length]!;
}

/** Whether something moves: only then the clock has to tick faster than the list is polled. */
export function isAnimated(state: UiState): boolean {
  return (
    state.tasks.some((task) => task.shown) ||
    state.machines.some((row) => row.machine.state === "booting") ||
    Object.values(state.panes).some((pane) => pane.kind === "connecting")
  );
}
