/** What `/machinen-config.json` in the guest's initramfs says. Pure. */
export function buildMachinenConfig(input: {
  cmd: string[];
  env: Record<string, string>;
  guestCwd?: string;
  imageCwd?: string;
  liveMounts: Array<{ guest: string; port: number; mode: "ro" | "rw" }>;
  hostname?: string;
  rootdisk?: boolean;
  /** Where the disks of the mount go. */
  mount?: string;
}): Record<string, unknown> {
  const cwd = input.guestCwd ?? input.imageCwd;
  return {
    ...(input.cmd.length > 0 ? { cmd: input.cmd } : {}),
    env: input.env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input.hostname === undefined ? {} : { hostname: input.hostname }),
    ...(input.rootdisk ? { rootdisk: true } : {}),
    ...(input.mount === undefined ? {} : { mount: input.mount }),
    ...(input.liveMounts.length > 0
      ? { liveMounts: input.liveMounts.map(({ guest, port, mode }) => ({ guest, port, mode })) }
      : {}),
  };
}
