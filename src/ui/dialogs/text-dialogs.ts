import type { CommandId } from "../commands.ts";
import type { FormField } from "./new-machine.ts";

/** Dialogs into which the user types. */
export type TextDialog =
  /** A command and its argument, or a machine, found by typing part of it. */
  | { kind: "palette" | "finder"; text: string; index: number }
  /** The argument of one command. */
  | { kind: "prompt"; command: CommandId; text: string }
  | {
      kind: "form";
      fields: readonly FormField[];
      index: number;
      error?: string;
      /** What it asks for is being made. */
      starting?: boolean;
    };

/** No line of a dialog grows beyond this. */
const textLimit = 1000;

export function isTextDialog<D extends { kind: string }>(dialog: D): dialog is D & TextDialog {
  return ["palette", "finder", "prompt", "form"].includes(dialog.kind);
}

/** The text of the line that is typed into. */
export function dialogText(dialog: TextDialog): string {
  return dialog.kind === "form" ? dialog.fields[dialog.index]!.text : dialog.text;
}

/** The dialog with another text in its line; what is found by it begins at the first again. */
export function withText(dialog: TextDialog, text: string): TextDialog {
  const limited = text.slice(0, textLimit);
  if (dialog.kind === "prompt") return { ...dialog, text: limited };
  if (dialog.kind !== "form") return { ...dialog, text: limited, index: 0 };
  if (dialog.starting) return dialog;
  const fields = dialog.fields.map((field, index) =>
    index === dialog.index ? { ...field, text: limited } : field,
  );
  return { ...dialog, fields, error: undefined };
}

/** The text without its last character, as the eye counts them. */
export function withoutLast(text: string): string {
  const letters = [...new Intl.Segmenter().segment(text)];
  return letters
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join("");
}

/** The text without its last word. */
export function withoutLastWord(text: string): string {
  return text.replace(/\S*\s*$/, "");
}
