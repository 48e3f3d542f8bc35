import { OnceTimer } from "./once-timer.ts";
import { isAnimated } from "./spinner.ts";
import type { Action, UiState } from "./state.ts";

const animationMs = 100;
const noticeMs = 8000;

/** What time does to the state: notices pass, and what moves moves on. Idle, no timer runs. */
export class StateClock {
  private readonly animation: OnceTimer;
  private readonly notice: OnceTimer;

  constructor(dispatch: (action: Action) => void) {
    this.animation = new OnceTimer(() => dispatch({ type: "ticked", now: Date.now() }));
    this.notice = new OnceTimer(() => dispatch({ type: "notice-cleared" }));
  }

  sync(before: UiState, state: UiState): void {
    if (before.notice !== state.notice) {
      this.notice.stop();
      if (state.notice) this.notice.start(noticeMs);
    }
    if (isAnimated(state)) this.animation.start(animationMs);
  }

  stop(): void {
    this.animation.stop();
    this.notice.stop();
  }
}
