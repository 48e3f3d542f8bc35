import { writeFileSync } from "node:fs";
import { liveEntries } from "../registry/index.ts";
import { isVerified, type Template } from "../templates/index.ts";
import type { RunDir } from "./run-dir.ts";
import type { MachineVariables } from "./vmm-environment.ts";

/** The first that answers gives its memory: a few are enough. */
const MAX_BASES = 4;

/** Machines that hold this template's memory, sealed, ready to be shared. */
function basesOf(key: string): string {
  return liveEntries()
    .filter((entry) => entry.templateKey === key && entry.controlPath)
    .map((entry) => entry.controlPath!)
    .filter((path) => !path.includes(","))
    .slice(0, MAX_BASES)
    .join(",");
}

/** Where the VMM reads what the agent of a resumed machine is to be told. */
export function writeResume(runDir: RunDir, resume: object): MachineVariables {
  writeFileSync(runDir.resume, JSON.stringify(resume), { mode: 0o600 });
  return { MACHINEN_RESUME: runDir.resume };
}

/** What makes a VMM resume from a template as a machine with this configuration; without one it waits for it. */
export function templateVariables(
  template: Template,
  config: Record<string, unknown> | undefined,
  runDir: RunDir,
): MachineVariables {
  return {
    MACHINEN_INCOMING: `template:${template.directory}`,
    MACHINEN_TEMPLATE: template.key,
    MACHINEN_VERIFY: isVerified(template) ? undefined : "1",
    MACHINEN_BASE: basesOf(template.key) || undefined,
    ...(config ? writeResume(runDir, { hostname: config.hostname, config }) : {}),
  };
}
