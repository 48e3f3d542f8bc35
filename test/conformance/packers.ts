import {
  mkinitramfsBundle,
  mkinitramfsCli,
  mkinitramfsMinimal,
  mkinitramfsRootfs,
  mkinitramfsTinyBundle,
  mkinitramfsWorkspace,
  type PackBundleOptions,
  type PackMinimalOptions,
  type PackRootfsOptions,
  type PackTinyBundleOptions,
  type PackWorkspaceOptions,
} from "../../src/runtime/index.ts";

declare const text: string;
declare const texts: string[];
declare const table: Record<string, string>;
declare const count: number;

/** Initramfs archives. Never run, only compiled. */
export const statements = {
  PackBundleOptions() {
    const all: PackBundleOptions[] = [
      { bundle: text, out: text },
      {
        bundle: text,
        out: text,
        base: text,
        mount: { host: text, guest: text },
        env: table,
        excludes: texts,
        initPath: text,
        fuseAgentPath: text,
        execAgentPath: text,
      },
    ];
    return all;
  },

  mkinitramfsBundle() {
    mkinitramfsBundle({ bundle: text, out: text });
  },

  PackTinyBundleOptions() {
    const all: PackTinyBundleOptions[] = [
      { bundle: text, out: text },
      {
        bundle: text,
        out: text,
        env: table,
        mountGuest: text,
        initPath: text,
        fuseAgentPath: text,
      },
    ];
    return all;
  },

  mkinitramfsTinyBundle() {
    mkinitramfsTinyBundle({ bundle: text, out: text });
  },

  PackRootfsOptions() {
    const all: PackRootfsOptions[] = [
      { rootfs: text, out: text },
      { rootfs: text, out: text, config: text, excludes: texts, initPath: text },
    ];
    return all;
  },

  mkinitramfsRootfs() {
    mkinitramfsRootfs({ rootfs: text, out: text });
  },

  PackMinimalOptions() {
    const all: PackMinimalOptions[] = [{ out: text }, { out: text, initPath: text, config: text }];
    return all;
  },

  mkinitramfsMinimal() {
    mkinitramfsMinimal({ out: text });
  },

  PackWorkspaceOptions() {
    const all: PackWorkspaceOptions[] = [
      { workspace: text, out: text },
      { workspace: text, out: text, mountpoint: text, excludes: new Set(texts), maxMb: count },
    ];
    return all;
  },

  mkinitramfsWorkspace() {
    mkinitramfsWorkspace({ workspace: text, out: text });
  },

  mkinitramfsCli() {
    mkinitramfsCli(texts);
  },
};
