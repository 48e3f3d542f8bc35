/** The `key=value` strings a kernel module carries in its `.modinfo` section. */
export function readModinfo(module: Buffer): Map<string, string[]> {
  const info = new Map<string, string[]>();
  for (const line of modinfoSection(module).toString("latin1").split("\0")) {
    const equals = line.indexOf("=");
    if (equals <= 0) continue;
    const key = line.slice(0, equals);
    info.set(key, [...(info.get(key) ?? []), line.slice(equals + 1)]);
  }
  return info;
}

/** Names of the modules that must be loaded before this one. */
export function moduleDependencies(module: Buffer): string[] {
  const depends = readModinfo(module).get("depends")?.[0] ?? "";
  return depends.split(",").filter(Boolean).map(moduleName);
}

/** A module's name: the kernel takes `-` in file names for `_`. */
export function moduleName(name: string): string {
  return name.replaceAll("-", "_");
}

/**
 * Names in an order in which each can be loaded: dependencies first, otherwise as wanted.
 * `dependenciesOf` returns undefined for a module that does not exist (it may be built in).
 */
export function loadOrder(
  wanted: string[],
  dependenciesOf: (name: string) => string[] | undefined,
): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const dependencies = dependenciesOf(name);
    if (!dependencies) return;
    for (const dependency of dependencies) visit(dependency);
    order.push(name);
  };
  for (const name of wanted) visit(moduleName(name));
  return order;
}

function modinfoSection(module: Buffer): Buffer {
  if (module.length < 64 || module.toString("latin1", 0, 4) !== "\x7fELF" || module[4] !== 2)
    throw new Error("not a 64-bit ELF file");
  const tableAt = Number(module.readBigUInt64LE(0x28));
  const entrySize = module.readUInt16LE(0x3a);
  const count = module.readUInt16LE(0x3c);
  const namesIndex = module.readUInt16LE(0x3e);

  const section = (index: number) => {
    const at = tableAt + index * entrySize;
    if (index >= count || entrySize < 64 || at + 64 > module.length)
      throw new Error("section table runs out of the file");
    const offset = Number(module.readBigUInt64LE(at + 0x18));
    const size = Number(module.readBigUInt64LE(at + 0x20));
    return { name: module.readUInt32LE(at), bytes: module.subarray(offset, offset + size) };
  };

  const names = section(namesIndex).bytes;
  for (let index = 0; index < count; index++) {
    const { name, bytes } = section(index);
    const end = names.indexOf(0, name);
    if (end >= 0 && names.toString("latin1", name, end) === ".modinfo") return bytes;
  }
  return Buffer.alloc(0);
}
