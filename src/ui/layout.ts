export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface ScreenLayout {
  /** Too small for anything but a message. */
  tooSmall: boolean;
  /** Absent when zoomed or when the terminal is narrow. */
  sidebar?: Rect;
  /** Where the panes stand. */
  panes: Rect;
  status: Rect;
}

export const minimumCols = 40;
export const minimumRows = 10;
/** A pane smaller than this shows nothing useful: further panes go to the next page. */
const minimumPane = { width: 20, height: 5 };
/** Width to height of a comfortable pane, in cells. */
const idealAspect = 2.7;

/** The three areas of the screen. */
export function layoutScreen(cols: number, rows: number, zoomed: boolean): ScreenLayout {
  const status = { x: 0, y: rows - 1, width: cols, height: 1 };
  const tooSmall = cols < minimumCols || rows < minimumRows;
  const width = zoomed || cols < 60 ? 0 : cols >= 120 ? 30 : 24;
  return {
    tooSmall,
    sidebar: width > 0 ? { x: 0, y: 0, width, height: rows - 1 } : undefined,
    panes: { x: width, y: 0, width: cols - width, height: rows - 1 },
    status,
  };
}

/** Columns of panes for `count` panes: the number whose panes come nearest to the ideal shape. */
function bestColumns(area: Rect, count: number): number {
  let best = 1;
  let bestScore = Number.POSITIVE_INFINITY;
  for (let columns = 1; columns <= count; columns++) {
    const lines = Math.ceil(count / columns);
    const width = area.width / columns;
    const height = area.height / lines;
    if (columns > 1 && width < minimumPane.width) break;
    const cramped = height < minimumPane.height ? 10 : 0;
    const emptyPlaces = columns * lines - count;
    const score = Math.abs(Math.log(width / height / idealAspect)) + cramped + emptyPlaces * 0.05;
    if (score < bestScore) {
      best = columns;
      bestScore = score;
    }
  }
  return best;
}

/** Cuts `length` into `parts` that differ by at most one. */
function split(length: number, parts: number, index: number): [start: number, size: number] {
  const start = Math.floor((length * index) / parts);
  return [start, Math.floor((length * (index + 1)) / parts) - start];
}

/** Rectangles that fill the area without gaps, row by row; a short last row has wider panes. */
export function tile(area: Rect, count: number): Rect[] {
  if (count <= 0) return [];
  const columns = bestColumns(area, count);
  const lines = Math.ceil(count / columns);
  const rects: Rect[] = [];
  for (let index = 0; index < count; index++) {
    const line = Math.floor(index / columns);
    const inLine = Math.min(columns, count - line * columns);
    const [x, width] = split(area.width, inLine, index - line * columns);
    const [y, height] = split(area.height, lines, line);
    rects.push({ x: area.x + x, y: area.y + y, width, height });
  }
  return rects;
}

export interface PlacedPane {
  id: string;
  rect: Rect;
}

/** Which panes are on the screen and where: all that fit, in order, always with the selected one. */
export function placePanes(
  area: Rect,
  ids: readonly string[],
  selected: string | undefined,
  zoomed: boolean,
): PlacedPane[] {
  const at = selected === undefined ? -1 : ids.indexOf(selected);
  if (zoomed && at >= 0) return [{ id: ids[at]!, rect: area }];
  const across = Math.max(1, Math.floor(area.width / minimumPane.width));
  const down = Math.max(1, Math.floor(area.height / minimumPane.height));
  const fits = across * down;
  const first = Math.floor(Math.max(0, at) / fits) * fits;
  const page = ids.slice(first, first + fits);
  const rects = tile(area, page.length);
  return page.map((id, index) => ({ id, rect: rects[index]! }));
}

/** The cells inside a pane's frame: a zoomed pane has a title line only. */
export function paneInside(rect: Rect, zoomed: boolean): Rect {
  return zoomed
    ? { x: rect.x, y: rect.y + 1, width: rect.width, height: Math.max(1, rect.height - 1) }
    : {
        x: rect.x + 1,
        y: rect.y + 1,
        width: Math.max(1, rect.width - 2),
        height: Math.max(1, rect.height - 2),
      };
}

export function contains(rect: Rect, x: number, y: number): boolean {
  return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
}

/** A box of the wished size in the middle, never larger than the area leaves room for. */
export function centered(area: Rect, width: number, height: number): Rect {
  const w = Math.max(1, Math.min(width, area.width - 2));
  const h = Math.max(1, Math.min(height, area.height - 2));
  return {
    x: area.x + Math.floor((area.width - w) / 2),
    y: area.y + Math.floor((area.height - h) / 2),
    width: w,
    height: h,
  };
}
