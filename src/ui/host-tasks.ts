import { TaskError } from "./errors.ts";
import type { Action, Task } from "./state.ts";

/** Shorter work needs no sign that it is under way. */
const showAfterMs = 300;

export interface TaskPlan extends Pick<Task, "label" | "machineId" | "starts" | "stops"> {
  /** Work with the same key is not begun twice. */
  key?: string;
}

/** Runs calls to the host and shows the slow ones. */
export class HostTasks {
  private readonly dispatch: (action: Action) => void;
  private readonly running = new Map<number, Promise<unknown>>();
  private readonly keys = new Set<string>();
  private nextId = 1;

  constructor(dispatch: (action: Action) => void) {
    this.dispatch = dispatch;
  }

  /**
   * Resolves to undefined when the same work is under way already.
   * @throws {TaskError} naming the work, when it failed
   */
  async run<T>(task: TaskPlan, work: () => Promise<T>): Promise<T | undefined> {
    if (task.key !== undefined && this.keys.has(task.key)) return undefined;
    if (task.key !== undefined) this.keys.add(task.key);
    const id = this.nextId++;
    const { label, machineId, starts, stops } = task;
    this.dispatch({
      type: "task-began",
      task: { id, label, machineId, starts, stops, shown: false },
    });
    const timer = setTimeout(() => this.dispatch({ type: "task-shown", id }), showAfterMs);
    const promise = Promise.resolve().then(work);
    this.running.set(id, promise);
    try {
      return await promise;
    } catch (error) {
      throw new TaskError(label, error);
    } finally {
      clearTimeout(timer);
      this.running.delete(id);
      if (task.key !== undefined) this.keys.delete(task.key);
      this.dispatch({ type: "task-ended", id });
    }
  }

  get count(): number {
    return this.running.size;
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled(this.running.values());
  }

  inform(text: string): void {
    this.dispatch({ type: "noticed", entry: { at: Date.now(), level: "info", text } });
  }

  fail(text: string): void {
    this.dispatch({ type: "noticed", entry: { at: Date.now(), level: "error", text } });
  }
}
