import type { DialogView } from "./dialogs/dialog-view.ts";
import { dialogView } from "./dialogs/dialog-views.ts";
import { paneTarget } from "./layout/pane-id.ts";
import type { PlacedPane } from "./layout/place-panes.ts";
import { centered, type Rect } from "./layout/rect.ts";
import type { ScreenAreas } from "./layout/screen-areas.ts";
import { paneName } from "./names.ts";
import { areasOf, currentTab, machineOf, synchronizedPanes, visiblePanes } from "./selectors.ts";
import type { PaneStatus, UiState } from "./state.ts";
import { tabSigns } from "./tab-marks.ts";

export interface PlannedPane extends PlacedPane {
  name: string;
  family: number | undefined;
  status: PaneStatus;
  /** The program of a pane that is no machine. */
  local: string | undefined;
  selected: boolean;
  /** What is typed goes there. */
  attached: boolean;
}

/** What a state puts on the screen: frames between two changes of the state need not ask again. */
export interface ScreenPlan {
  state: UiState;
  areas: ScreenAreas;
  panes: PlannedPane[];
  dialog: { view: DialogView; rect: Rect } | undefined;
  /** What the tab does, as it stands on every frame. */
  signs: string;
  /** Cells that differ between panes are marked. */
  highlighted: boolean;
}

export function planScreen(state: UiState): ScreenPlan {
  const tab = currentTab(state);
  const typedInto = new Set(state.attached ? [state.selected, ...synchronizedPanes(state)] : []);
  return {
    state,
    areas: areasOf(state),
    panes: visiblePanes(state).map((pane) => ({
      ...pane,
      name: paneName(state, pane.id),
      family: state.families[paneTarget(pane.id).machine],
      status: state.panes[pane.id] ?? { kind: "waiting" },
      local: machineOf(state, pane.id)?.local,
      selected: pane.id === state.selected,
      attached: typedInto.has(pane.id),
    })),
    dialog: placedDialog(state),
    signs: tabSigns(tab),
    highlighted: tab.highlighted === true,
  };
}

function placedDialog(state: UiState): ScreenPlan["dialog"] {
  const view = dialogView(state);
  const room = { x: 0, y: 0, width: state.cols, height: state.rows - 1 };
  return view && { view, rect: centered(room, view.width, view.height) };
}
