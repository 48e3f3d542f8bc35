/** The byte a control key sends, given as `ctrl-]`. */
export function detachByte(key: string): number {
  return key.toUpperCase().charCodeAt("ctrl-".length) & 0x1f;
}
