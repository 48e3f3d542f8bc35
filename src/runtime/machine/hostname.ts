/** A host name made of a machine's name: letters, digits, dots and hyphens, at most 63. */
export function hostnameFor(name: string | undefined): string {
  const clean = (name ?? "")
    .replace(/[^A-Za-z0-9.-]+/g, "-")
    .slice(0, 63)
    .replace(/^[.-]+|[.-]+$/g, "");
  return clean || "machinen";
}
