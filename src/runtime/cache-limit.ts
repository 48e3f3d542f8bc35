/** What a cache may take on the disk, in bytes: so many MiB as the text says, else `defaultMib`. */
export function cacheLimitBytes(text: string | undefined, defaultMib: number): number {
  const given = Number(text || Number.NaN);
  return (Number.isFinite(given) && given >= 0 ? given : defaultMib) * 1024 * 1024;
}
