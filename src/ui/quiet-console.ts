const methods = ["debug", "error", "info", "log", "trace", "warn"] as const;

/**
 * Libraries remark on things by way of the console (xterm on a slow computer), which would be drawn
 * across the screen. Returns how to have it back.
 */
export function quietConsole(): () => void {
  const before = methods.map((method) => console[method]);
  for (const method of methods) console[method] = () => {};
  return () => {
    for (const [i, method] of methods.entries()) console[method] = before[i]!;
  };
}
