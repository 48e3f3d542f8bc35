import type { MachineInfo } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import { formatAge, formatBytes } from "./format.ts";
import { paneName } from "./names.ts";
import { sidebarItems } from "./selectors.ts";
import type { UiState } from "./state.ts";

/** The machines and their sessions as plain lines; `*` marks what is selected. */
export function machineLines(state: UiState): string {
  const lines = sidebarItems(state).map(({ pane, machine, session }) => {
    const tags = (state.tags[machine.id] ?? []).map((tag) => `#${tag}`);
    const about =
      session === undefined
        ? [
            machine.state,
            formatAge(state.now - machine.startedAt),
            formatBytes(machine.rssBytes),
            ...tags,
          ]
        : ["session"];
    const mark = pane === state.selected ? "*" : "-";
    return printable([mark, paneName(state, pane), ...about].filter(Boolean).join(" "));
  });
  return lines.length === 0 ? "no machine is running" : lines.join("\n");
}

/**
 * What the list of machines reads like. As long as it reads the same nothing is to be drawn: that is
 * what idle means.
 */
export function listReads(machines: readonly MachineInfo[], now: number): string {
  return JSON.stringify(
    machines.map((machine) => [
      {
        ...machine,
        rssBytes: formatBytes(machine.rssBytes),
        privateBytes: undefined,
        sharedBytes: undefined,
      },
      formatAge(now - machine.startedAt),
    ]),
  );
}
