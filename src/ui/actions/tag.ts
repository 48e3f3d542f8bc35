import { machineName } from "../names.ts";
import type { ActionContext } from "./context.ts";
import { type Target, targetOf } from "./target.ts";

/** `[machine] <words>`; a single word is one to find the selected machine by, whatever it is. */
export function tagNamed(context: ActionContext, words: string): string {
  return tag(
    context,
    targetOf(context.state, words, (rest) => rest !== ""),
  );
}

/** Every word is a tag, also one that is a machine's name. */
export function tagSelected(context: ActionContext, words: string): string {
  return tag(
    context,
    targetOf(context.state, words, () => false),
  );
}

/** Words, with or without the sign they are shown with; none takes all away. */
function tag(context: ActionContext, { machine, rest }: Target): string {
  const tags = rest.split(/[\s,]+/).map((word) => word.replace(/^#/, ""));
  const unique = [...new Set(tags.filter((word) => word !== ""))];
  context.dispatch({ type: "tagged", machine: machine.id, tags: unique });
  const name = machineName(machine);
  if (unique.length === 0) return `${name} has no tags now`;
  return `${name} is tagged ${unique.map((each) => `#${each}`).join(" ")}`;
}
