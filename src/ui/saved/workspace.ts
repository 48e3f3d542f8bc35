import type { MachineInfo } from "../../runtime/host/host.ts";
import { type LayoutName, layoutNames } from "../layout/named.ts";
import { type PaneId, paneId, paneTarget } from "../layout/pane-id.ts";
import { countPlaces, type Shape } from "../layout/shape.ts";
import { emptyTab, removePane, type Tab } from "../layout/tab.ts";
import { machinesOf } from "../selectors.ts";
import type { UiState } from "../state.ts";
import { machineTree } from "../tree.ts";

export const workspaceVersion = 1;

/** A machine as it is found again: the same process, else one of the same name. */
interface SavedMachine {
  name?: string;
  pid: number;
  startedAt: number;
  tags?: string[];
  muted?: true;
}

interface SavedPane {
  /** Index among the machines. */
  machine: number;
  session: string;
}

interface SavedTab {
  name: string;
  layout: LayoutName;
  shape?: Shape;
  zoomed: boolean;
  panes: SavedPane[];
  /** Index among the panes. */
  active?: number;
  compares?: true;
}

/** Tabs, layouts and selection, as they outlive the program. */
export interface SavedWorkspace {
  version: typeof workspaceVersion;
  machines: SavedMachine[];
  tabs: SavedTab[];
  tab: number;
  sidebar: boolean;
}

export function savedWorkspace(state: UiState): SavedWorkspace {
  const machines = machinesOf(state);
  const indexes = new Map(machines.map(({ id }, index) => [id, index]));
  return {
    version: workspaceVersion,
    machines: machines.map(({ id, name, pid, startedAt }) => {
      const tags = state.tags[id];
      return {
        name,
        pid,
        startedAt,
        ...(tags?.length ? { tags: [...tags] } : {}),
        ...(state.muted.includes(id) ? { muted: true } : {}),
      };
    }),
    tabs: state.tabs.map(({ name, layout, shape, zoomed, panes, active, compares }) => ({
      name,
      layout,
      shape,
      zoomed,
      panes: panes.map((id) => {
        const { machine, session } = paneTarget(id);
        return { machine: indexes.get(machine) ?? -1, session };
      }),
      active: active === undefined ? undefined : panes.indexOf(active),
      ...(compares ? { compares } : {}),
    })),
    tab: state.tab,
    sidebar: state.sidebar,
  };
}

/** The state with the saved tabs, as far as their machines still run; these count as known. */
export function withWorkspace(
  state: UiState,
  saved: SavedWorkspace,
  machines: readonly MachineInfo[],
): UiState {
  const found = matches(saved.machines, machines);
  const tabs = saved.tabs.map((tab, index) => restoredTab(tab, index + 1, found));
  const current = tabs[saved.tab];
  const kept = tabs.filter((tab) => tab.panes.length > 0);
  if (kept.length === 0) kept.push(emptyTab(1, state.tabs[0]!.layout));
  const tab = Math.max(0, current ? kept.indexOf(current) : 0);
  const known = found.filter((machine) => machine !== undefined);
  const tags = Object.fromEntries(
    found.flatMap((machine, index) => {
      const own = saved.machines[index]?.tags;
      return machine && own ? [[machine.id, own] as const] : [];
    }),
  );
  const muted = found.flatMap((machine, index) =>
    machine && saved.machines[index]?.muted ? [machine.id] : [],
  );
  return {
    ...state,
    tags,
    muted,
    machines: machineTree(known),
    tabs: kept,
    tab,
    selected: kept[tab]!.active,
    sidebar: saved.sidebar,
  };
}

function matches(
  saved: readonly SavedMachine[],
  machines: readonly MachineInfo[],
): (MachineInfo | undefined)[] {
  const left = new Set(machines);
  const take = (wanted: (machine: MachineInfo) => boolean): MachineInfo | undefined => {
    const machine = [...left].find(wanted);
    if (machine) left.delete(machine);
    return machine;
  };
  const same = saved.map(({ pid, startedAt }) =>
    take((machine) => machine.pid === pid && machine.startedAt === startedAt),
  );
  return saved.map(
    ({ name }, index) =>
      same[index] ?? (name === undefined ? undefined : take((machine) => machine.name === name)),
  );
}

function restoredTab(saved: SavedTab, id: number, found: (MachineInfo | undefined)[]): Tab {
  const panes: PaneId[] = saved.panes.map(({ machine, session }, index) => {
    const info = found[machine];
    return info ? paneId(info.id, session) : `?/${index}`;
  });
  const active = saved.active === undefined ? panes[0] : panes[saved.active];
  const { name, layout, shape, zoomed, compares } = saved;
  let tab: Tab = { id, name, layout, shape, zoomed, panes, active, compares };
  for (const pane of panes) if (pane.startsWith("?/")) tab = removePane(tab, pane);
  return { ...tab, active: tab.active ?? tab.panes[0] };
}

/** Reads what a file says. @throws {Error} saying what is wrong with it */
export function parseWorkspace(text: string): SavedWorkspace {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error("it is no object");
  if (value.version !== workspaceVersion) {
    throw new Error(`its version is ${JSON.stringify(value.version)}, not ${workspaceVersion}`);
  }
  const { machines, tabs, tab, sidebar } = value;
  check(Array.isArray(machines) && machines.every(isMachine), "machines");
  check(Array.isArray(tabs) && tabs.length > 0 && tabs.length <= 1000, "tabs");
  for (const [index, entry] of (tabs as unknown[]).entries()) check(isTab(entry), `tabs[${index}]`);
  check(Number.isInteger(tab) && (tabs as unknown[])[tab as number] !== undefined, "tab");
  check(typeof sidebar === "boolean", "sidebar");
  return value as unknown as SavedWorkspace;
}

function check(ok: boolean, what: string): void {
  if (!ok) throw new Error(`its ${what} is not as it should be`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMachine(value: unknown): boolean {
  return (
    isRecord(value) &&
    (value.name === undefined || typeof value.name === "string") &&
    (value.tags === undefined ||
      (Array.isArray(value.tags) && value.tags.every((tag) => typeof tag === "string"))) &&
    (value.muted === undefined || value.muted === true) &&
    Number.isInteger(value.pid) &&
    typeof value.startedAt === "number"
  );
}

function isTab(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { name, layout, shape, zoomed, panes, active, compares } = value;
  if (compares !== undefined && compares !== true) return false;
  if (typeof name !== "string" || typeof zoomed !== "boolean") return false;
  if (!layoutNames.some((known) => known === layout)) return false;
  if (!Array.isArray(panes) || !panes.every(isPane)) return false;
  const names = new Set(panes.map((pane: SavedPane) => `${pane.machine}/${pane.session}`));
  if (names.size !== panes.length) return false;
  if (active !== undefined && !Number.isInteger(active)) return false;
  return shape === undefined || (isShape(shape, 0) && countPlaces(shape) === panes.length);
}

function isPane(value: unknown): boolean {
  return isRecord(value) && Number.isInteger(value.machine) && typeof value.session === "string";
}

/** A file that nests without end must not exhaust the stack. */
const depthLimit = 100;

function isShape(value: unknown, depth: number): value is Shape {
  if (!isRecord(value) || depth > depthLimit) return false;
  if (value.kind === "place") return true;
  const { kind, direction, parts } = value;
  if (kind !== "split" || (direction !== "row" && direction !== "column")) return false;
  return (
    Array.isArray(parts) &&
    parts.length > 1 &&
    parts.every(
      (part) =>
        isRecord(part) &&
        typeof part.share === "number" &&
        part.share > 0 &&
        Number.isFinite(part.share) &&
        isShape(part.shape, depth + 1),
    )
  );
}
