/** How many bytes follow this one in a UTF-8 character; 0 when it cannot begin one. */
export function continuationBytes(lead: number): number {
  if (lead >= 0xf0 && lead < 0xf5) return 3;
  if (lead >= 0xe0 && lead < 0xf0) return 2;
  return lead >= 0xc2 && lead < 0xe0 ? 1 : 0;
}
