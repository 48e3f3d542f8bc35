const LIMIT = 100;

/** What was searched for, in whatever pane, and the walk through it from a prompt. */
export class SearchHistory {
  private readonly entries: string[] = [];
  private at = 0;
  /** What had been typed before the walk began. */
  private draft = "";

  /** A prompt is opened. */
  begin(): void {
    this.at = this.entries.length;
    this.draft = "";
  }

  add(text: string): void {
    if (text === "") return;
    const old = this.entries.indexOf(text);
    if (old >= 0) this.entries.splice(old, 1);
    this.entries.push(text);
    if (this.entries.length > LIMIT) this.entries.shift();
  }

  /** The search before the one shown, or after it; undefined at either end. */
  step(by: -1 | 1, shown: string): string | undefined {
    const next = this.at + by;
    if (next < 0 || next > this.entries.length) return undefined;
    if (this.at === this.entries.length) this.draft = shown;
    this.at = next;
    return this.entries[next] ?? this.draft;
  }
}
