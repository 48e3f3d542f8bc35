import { createReadStream, createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ErrorCode, ProvisionError } from "../errors.ts";
import { findMmdebstrap } from "../images/host-tools.ts";
import { syncFile } from "../sync-file.ts";
import { CommandFailed, runCommand } from "./run-command.ts";

/** Changes whenever the image below does, so that an older installed base is made anew. */
export const DEBIAN_RECIPE = 1;

/** Over Debian's minbase: what one expects at a prompt, and what `apt-get install` needs later. */
const PACKAGES = [
  "ca-certificates",
  "curl",
  "htop",
  "iproute2",
  "iputils-ping",
  "less",
  "netbase",
  "procps",
  "usr-is-merged", // else usrmerge comes instead and brings 50 MB of Perl
  "vim-tiny",
];

const OPTIONS = [
  "--variant=minbase",
  "--format=tar",
  "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
  `--include=${PACKAGES.join(",")}`,
  '--aptopt=APT::Install-Recommends "false"',
  "--dpkgopt=path-exclude=/usr/share/man/*",
  "--dpkgopt=path-exclude=/usr/share/doc/*",
  "--dpkgopt=path-include=/usr/share/doc/*/copyright",
  "--dpkgopt=path-exclude=/usr/share/locale/*",
  // The host's own name and resolver mean nothing in a guest.
  '--customize-hook=echo machinen > "$1/etc/hostname"',
  "--customize-hook=printf '127.0.0.1 localhost\\n127.0.1.1 machinen\\n::1 localhost\\n' > \"$1/etc/hosts\"",
  '--customize-hook=rm -f "$1/etc/resolv.conf"; echo nameserver 10.0.2.3 > "$1/etc/resolv.conf"',
  '--customize-hook=ln -sf vim.tiny "$1/usr/bin/vim"',
];

/** Write a Debian base to `out` with mmdebstrap; returns what it was made from. */
export async function buildDebianBase(
  staging: string,
  out: string,
  onProgress: (step: string) => void,
): Promise<string> {
  const sources = await debianSources();
  const suite = sources.suites.find((name) => !name.includes("-")) ?? "stable";
  const sourcesFile = join(staging, "sources.list");
  writeFileSync(sourcesFile, sources.lines.join(""));
  const tar = join(staging, "rootfs.tar");
  onProgress(`bootstrapping Debian ${suite}`);
  const mode = process.getuid?.() === 0 ? "root" : "unshare";
  // Without sources of its own, mmdebstrap takes its default archive.
  const from = sources.lines.length > 0 ? [sourcesFile] : [];
  try {
    const [program, ...args] = await withOwnMounts(mode);
    await runCommand(program!, [...args, `--mode=${mode}`, ...OPTIONS, suite, tar, ...from], {
      diesWithUs: true,
      onLine: (line) => reportStep(line, onProgress),
    });
  } catch (cause) {
    throw bootstrapError(cause as Error, mode);
  }
  onProgress("compressing the Debian base");
  await pipeline(createReadStream(tar), createGzip({ level: 6 }), createWriteStream(out));
  syncFile(out);
  return `Debian ${suite}, recipe ${DEBIAN_RECIPE}`;
}

/**
 * mmdebstrap. As root it mounts the host's /dev/shm, /proc and /sys below its directory in /tmp: in a mount namespace
 * of its own nobody comes upon them there, and they are gone when it is, however it ends.
 */
async function withOwnMounts(mode: string): Promise<string[]> {
  const program = findMmdebstrap();
  if (program === undefined) throw new CommandFailed("mmdebstrap is not installed", true);
  if (mode !== "root") return [program];
  const privately = ["unshare", "--mount"];
  try {
    await runCommand(privately[0]!, [...privately.slice(1), "true"]);
    return [...privately, program];
  } catch {
    return [program]; // A container that may not have one.
  }
}

/** The host's own sources for the Debian archive, as one-line entries, and their suites. */
async function debianSources(): Promise<{ lines: string[]; suites: string[] }> {
  const format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)";
  const args = ["indextargets", "--format", format, "Created-By: Packages", "Origin: Debian"];
  const answer = await runCommand("apt-get", args).catch(() => "");
  return parseSources(answer);
}

/** Lines of `<uri>|<suite>|<component>`, as apt prints them. */
export function parseSources(answer: string): { lines: string[]; suites: string[] } {
  const lines = new Set<string>();
  const suites = new Set<string>();
  for (const line of answer.split("\n")) {
    const [uri, suite, component] = line.trim().split("|");
    if (!uri || !suite || !component) continue;
    lines.add(`deb ${uri} ${suite} ${component}\n`);
    suites.add(suite);
  }
  return { lines: [...lines], suites: [...suites] };
}

function reportStep(line: string, onProgress: (step: string) => void): void {
  const step = /^I: (.*?)(\.\.\.)?$/.exec(line)?.[1];
  if (step) onProgress(`Debian base: ${step}`);
}

function bootstrapError(cause: Error, mode: string): ProvisionError {
  const missing = cause instanceof CommandFailed && cause.missing;
  const next = missing
    ? "run `apt-get install mmdebstrap` as root"
    : mode === "unshare"
      ? "check the network, run `apt-get install uidmap` as root (or start this as root)"
      : "check the network and run `apt-get update` as root";
  return new ProvisionError(
    ErrorCode.PROVISION_BASE_NOT_FOUND,
    `the Debian base could not be built: ${cause.message}\n` +
      `Next: ${next}, then \`machinen install debian\``,
    { cause, retryable: true },
  );
}
