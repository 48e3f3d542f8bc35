/**
 * An age in one unit, short enough for a column: `20s`, `3m`, `5h`, `2d`. Seconds in tens: a number that
 * changes every second would keep the screen from ever being idle.
 */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 10) return "new";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Memory in at most four characters and a unit: `87M`, `1.2G`. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return "";
  const mib = bytes / 1_048_576;
  return mib < 1000 ? `${Math.round(mib)}M` : `${(mib / 1024).toFixed(1)}G`;
}

/** A moment as `2025-01-31 14:05`, in local time. */
export function formatMoment(ms: number): string {
  const at = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** A time of day as `14:05:09`. */
export function formatTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}
