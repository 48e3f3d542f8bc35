import type { CommandId } from "../commands.ts";
import { detachByte } from "../config/detach-byte.ts";
import { CommandError } from "../errors.ts";
import { type LayoutName, layoutNames } from "../layout/named.ts";
import { mainSession, type PaneId, paneId, paneTarget } from "../layout/pane-id.ts";
import type { Direction } from "../layout/shape.ts";
import { machineName } from "../names.ts";
import { selectedIsShown, selectedMachine, sidebarItems } from "../selectors.ts";
import type { Action } from "../state.ts";
import type { ActionContext, Handler } from "./context.ts";
import { targetCalled } from "./target.ts";

/** How far one press of a key moves a border, in cells. */
const step = { row: 4, column: 2 };

/** What commands do to panes and tabs: changes of the state, and sessions that these call for. */
export function paneActions(context: ActionContext) {
  const does =
    (action: Action): Handler =>
    () =>
      context.dispatch(action);
  const resize = (direction: Direction, sign: 1 | -1): Handler =>
    does({ type: "pane-resized", direction, by: sign * step[direction] });
  return {
    "select-next": does({ type: "moved", to: "next" }),
    "select-previous": does({ type: "moved", to: "previous" }),
    "select-first": does({ type: "moved", to: "first" }),
    "select-last": does({ type: "moved", to: "last" }),
    select: (name) => context.dispatch({ type: "selected", id: findPane(context, name) }),
    attach: (name) => {
      if (name) context.dispatch({ type: "selected", id: findPane(context, name) });
      attach(context);
    },
    detach: does({ type: "detached" }),
    "send-detach": () => {
      const { selected } = context.state;
      const byte = detachByte(context.settings["keyboard.detach"]);
      const pane = selected === undefined ? undefined : context.pane(selected);
      // Whoever detaches out of habit must not find his next keys in a machine's shell.
      if (!pane || !isMachinen(pane.terminal.title)) {
        context.tasks.inform("nothing is attached");
        return;
      }
      pane.send(Buffer.of(byte, byte));
      attach(context);
    },
    zoom: does({ type: "zoom-toggled" }),
    "split-right": (name) => split(context, name, "row"),
    "split-down": (name) => split(context, name, "column"),
    "close-pane": () => {
      const { selected } = context.state;
      if (selected !== undefined) context.dispatch({ type: "pane-closed", id: selected });
    },
    "next-pane": does({ type: "pane-cycled", by: 1 }),
    "previous-pane": does({ type: "pane-cycled", by: -1 }),
    "next-page": does({ type: "page-turned", by: 1 }),
    "previous-page": does({ type: "page-turned", by: -1 }),
    "focus-left": does({ type: "focus-moved", side: "left" }),
    "focus-right": does({ type: "focus-moved", side: "right" }),
    "focus-up": does({ type: "focus-moved", side: "up" }),
    "focus-down": does({ type: "focus-moved", side: "down" }),
    "next-layout": does({ type: "layout-chosen", layout: "next" }),
    layout: (name) => context.dispatch({ type: "layout-chosen", layout: layoutCalled(name) }),
    "swap-next": does({ type: "panes-swapped", by: 1 }),
    "swap-previous": does({ type: "panes-swapped", by: -1 }),
    rotate: does({ type: "panes-rotated", by: 1 }),
    "rotate-back": does({ type: "panes-rotated", by: -1 }),
    "resize-left": resize("row", -1),
    "resize-right": resize("row", 1),
    "resize-up": resize("column", -1),
    "resize-down": resize("column", 1),
    "new-tab": (name) => context.dispatch({ type: "tab-opened", withSelected: false, name }),
    "break-pane": does({ type: "tab-opened", withSelected: true }),
    "move-to-tab": (number) =>
      context.dispatch({ type: "pane-moved", tab: tabNumbered(context, number) }),
    "next-tab": does({ type: "tab-stepped", by: 1 }),
    "previous-tab": does({ type: "tab-stepped", by: -1 }),
    tab: (number) => context.dispatch({ type: "tab-chosen", index: tabNumbered(context, number) }),
    "rename-tab": (name) => context.dispatch({ type: "tab-renamed", name }),
    "close-tab": does({ type: "tab-closed" }),
    "toggle-sidebar": does({ type: "sidebar-toggled" }),
    "scroll-up": () => scroll(context, 1),
    "scroll-down": () => scroll(context, -1),
  } satisfies Partial<Record<CommandId, Handler>>;
}

/** Both the screen and `machinen attach` name themselves in the window's title. */
function isMachinen(title: string): boolean {
  return /^machinen\b/.test(title);
}

/** A selected line of the sidebar that has no pane here gets one. */
function attach(context: ActionContext): void {
  const { selected } = context.state;
  const machine = selectedMachine(context.state);
  if (selected === undefined || !machine) return;
  if (!selectedIsShown(context.state)) context.dispatch({ type: "pane-opened", id: selected });
  const pane = context.pane(selected);
  if (!pane) {
    context.tasks.inform(`${machineName(machine)} is still booting`);
    return;
  }
  if (!pane.live) void pane.connect();
  context.attachWhenLive(selected);
}

/** A new shell on the same machine, typed into at once, as other multiplexers do. */
function split(context: ActionContext, called: string, direction: Direction): void {
  const { machine } = targetCalled(context.state, called);
  const names = new Set(
    sidebarItems(context.state)
      .filter((item) => item.machine.id === machine.id)
      .map(({ pane }) => paneTarget(pane).session),
  );
  let number = 2;
  while (names.has(String(number))) number++;
  const id = paneId(machine.id, String(number));
  context.dispatch({ type: "pane-opened", id, split: direction });
  context.attachWhenLive(id);
}

function scroll(context: ActionContext, direction: number): void {
  const { selected } = context.state;
  const pane = selected === undefined ? undefined : context.pane(selected);
  pane?.scrollBy(direction * Math.max(1, pane.terminal.rows - 2));
}

/** `web`, `web:2`, or a machine's id. @throws {CommandError} COMMAND_ARGUMENT_INVALID */
function findPane(context: ActionContext, name: string): PaneId {
  const items = sidebarItems(context.state);
  const found = items.find(({ machine, pane }) => {
    const { session } = paneTarget(pane);
    const names = [machineName(machine), machine.id];
    return session === mainSession
      ? names.includes(name)
      : names.some((own) => name === `${own}:${session}`);
  });
  if (found) return found.pane;
  throw new CommandError("COMMAND_ARGUMENT_INVALID", `no machine or session "${name}" is there`);
}

function layoutCalled(name: string): LayoutName {
  const found = layoutNames.find((layout) => layout === name);
  if (found) return found;
  const all = layoutNames.join(", ");
  throw new CommandError("COMMAND_ARGUMENT_INVALID", `no layout "${name}"; there are ${all}`);
}

/** The index of a tab that the user counts from 1. */
function tabNumbered(context: ActionContext, number: string): number {
  const count = context.state.tabs.length;
  const index = Number(number) - 1;
  if (Number.isInteger(index) && index >= 0 && index < count) return index;
  const range = count === 1 ? "there is only tab 1" : `there are tabs 1 to ${count}`;
  throw new CommandError("COMMAND_ARGUMENT_INVALID", `no tab "${number}"; ${range}`);
}
