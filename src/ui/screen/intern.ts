/** Numbers for strings: cells hold a number, equal strings have equal numbers. 0 is the empty string. */
export class InternTable {
  private strings: string[] = [""];
  private ids = new Map<string, number>([["", 0]]);

  get size(): number {
    return this.strings.length;
  }

  id(text: string): number {
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.strings.length;
      this.strings.push(text);
      this.ids.set(text, id);
    }
    return id;
  }

  text(id: number): string {
    return this.strings[id] ?? "";
  }
}
