import type { HeldVmm } from "./held-vmm.ts";

interface Slot<Subject, Held> {
  subject: Subject;
  starting: Promise<Held>;
  /** Once its VMM runs. */
  held?: Held;
}

/** Held VMMs that wait to be used, each for another subject, the oldest first. They end with this process. */
export class HeldPool<Subject, Held extends HeldVmm> {
  private readonly slots: Slot<Subject, Held>[] = [];
  private readonly most: number;
  private readonly changed: (size: number) => void;

  /** At most `most` wait: each holds a QEMU of its own. `changed` is told how many do. */
  constructor(most: number, changed: (size: number) => void = () => {}) {
    this.most = most;
    this.changed = changed;
  }

  subjects(): Subject[] {
    return this.slots.map(({ subject }) => subject);
  }

  /** The one that waits, or is being started, for this subject. */
  find(isIt: (subject: Subject) => boolean): Promise<Held> | undefined {
    return this.slots.find(({ subject }) => isIt(subject))?.starting;
  }

  /** The oldest make room for it. */
  add(subject: Subject, starting: Promise<Held>): Promise<Held> {
    for (const old of this.slots.slice(0, Math.max(0, this.slots.length - this.most + 1)))
      void this.discard(old);
    const slot: Slot<Subject, Held> = { subject, starting };
    this.slots.push(slot);
    process.off("exit", this.dropAll).once("exit", this.dropAll);
    this.changed(this.slots.length);
    starting.then(
      (held) => {
        slot.held = held;
        if (held.hasExited()) this.remove(slot);
        else held.child.once("exit", () => this.remove(slot));
      },
      () => this.remove(slot),
    );
    return starting;
  }

  /** For the caller to use, if it has to be waited for; undefined when there is none, or it has ended. */
  async take(isIt: (subject: Subject) => boolean): Promise<Held | undefined> {
    const slot = this.slots.find(({ subject }) => isIt(subject));
    if (slot === undefined) return undefined;
    this.remove(slot);
    const held = await slot.starting.catch(() => undefined);
    return held?.hasExited() ? undefined : held;
  }

  /** The same without waiting: one that is still being started is left to others. */
  takeStarted(isIt: (subject: Subject) => boolean): Held | undefined {
    const slot = this.slots.find(({ subject, held }) => isIt(subject) && held !== undefined);
    if (slot === undefined) return undefined;
    this.remove(slot);
    return slot.held?.hasExited() ? undefined : slot.held;
  }

  async discardWhere(isIt: (subject: Subject) => boolean): Promise<void> {
    const unwanted = this.slots.filter(({ subject }) => isIt(subject));
    await Promise.all(unwanted.map((slot) => this.discard(slot)));
  }

  private async discard(slot: Slot<Subject, Held>): Promise<void> {
    this.remove(slot);
    const held = await slot.starting.catch(() => undefined);
    await held?.end();
  }

  private remove(slot: Slot<Subject, Held>): void {
    const at = this.slots.indexOf(slot);
    if (at < 0) return;
    this.slots.splice(at, 1);
    this.changed(this.slots.length);
  }

  /** Every VMM ends with us anyway; an orderly end need not leave that to it. */
  private readonly dropAll = (): void => {
    for (const { held } of this.slots) held?.drop();
  };
}
