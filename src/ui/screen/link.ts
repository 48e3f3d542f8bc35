const MAX_LENGTH = 1024;

/** A hyperlink target fit to be shown by the outer terminal; "" for one that is not. */
export function allowedLink(target: string): string {
  if (target.length > MAX_LENGTH) return "";
  return /^(https?:\/\/|mailto:)[\x21-\x7e]+$/i.test(target) ? target : "";
}
