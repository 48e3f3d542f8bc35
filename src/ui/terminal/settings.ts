/** How panes behave that nobody can agree about. */
export interface TerminalSettings {
  /** Lines kept above the screen of each pane. */
  scrollback: number;
  /** What a program may do that wants to set the clipboard (OSC 52). */
  clipboard: "ask" | "allow" | "deny";
  /** Show desktop notifications of programs (OSC 9, OSC 777). */
  notifications: boolean;
  /** Let the bell of any pane be heard. */
  bell: boolean;
  /** Seconds without output after a stretch of work until a pane is marked; 0 for never. */
  silenceSeconds: number;
  /** The keys of copy mode. */
  copyKeys: "vi" | "emacs";
}

export const defaultTerminalSettings: TerminalSettings = {
  scrollback: 2000,
  clipboard: "ask",
  notifications: false,
  bell: true,
  silenceSeconds: 15,
  copyKeys: "vi",
};
