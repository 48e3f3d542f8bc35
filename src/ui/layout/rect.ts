/** A rectangle of the screen, in cells; the first cell is 0, 0. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function contains(rect: Rect, x: number, y: number): boolean {
  return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
}

/** A box of the wished size in the middle, never larger than the area. */
export function centered(area: Rect, width: number, height: number): Rect {
  const w = Math.max(1, Math.min(width, area.width - 2));
  const h = Math.max(1, Math.min(height, area.height));
  return {
    x: area.x + Math.floor((area.width - w) / 2),
    y: area.y + Math.floor((area.height - h) / 2),
    width: w,
    height: h,
  };
}
