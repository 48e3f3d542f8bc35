import { type CopyCommand, copyCommandNames } from "../copy-mode/commands.ts";
import type { ActionContext, Handler } from "./context.ts";

/** Copy mode on the selected pane, and what is done in it. */
export function copyActions(context: ActionContext) {
  const inside = copyCommandNames.map((name): [CopyCommand, Handler] => [
    name,
    () => context.copy.run(name),
  ]);
  return {
    ...(Object.fromEntries(inside) as Record<CopyCommand, Handler>),
    "copy-mode": () => {
      const { selected } = context.state;
      if (selected !== undefined) context.copy.enter(selected);
    },
    paste: () => context.copy.paste(),
  } satisfies Record<string, Handler>;
}
