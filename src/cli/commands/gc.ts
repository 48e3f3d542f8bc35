import { printable } from "../../runtime/printable.ts";
import { defineCommand, jsonFlag } from "../command.ts";
import { formatBytes, printJson, printLine } from "../output.ts";

export const gc = defineCommand({
  name: "gc",
  summary: "Remove what dead machines left behind",
  flags: {
    templates: {
      type: "boolean",
      description: "also remove the templates no running machine uses; boots make them again",
    },
    images: {
      type: "boolean",
      description:
        "also remove the disks made of images and not used just now; boots make them again",
    },
    mounts: {
      type: "boolean",
      description:
        "also remove the packed directories (--mount) no running machine was started with",
    },
    dryRun: { type: "boolean", description: "only say what would be removed" },
    json: jsonFlag,
  },
  examples: [{ command: "machinen gc --dry-run", does: "look first" }],
  async run({ flags }, { stdout }) {
    const { collectGarbage } = await import("../../runtime/machine/index.ts");
    const { collectImages, rootfsImgCacheDir } = await import("../../runtime/images/index.ts");
    const { collectTemplates } = await import("../../runtime/templates/index.ts");
    const { collectMountImages } = await import("../../runtime/mounts/index.ts");
    const dryRun = flags.dryRun ?? false;
    const results = collectGarbage({ dryRun });
    const templates = flags.templates ? collectTemplates({ dryRun }) : [];
    const images = flags.images ? collectImages(rootfsImgCacheDir(), { dryRun }) : [];
    const mounts = flags.mounts ? collectMountImages({ dryRun }) : [];
    if (flags.json) {
      const more = {
        ...(flags.templates && { templates }),
        ...(flags.images && { images }),
        ...(flags.mounts && { mounts }),
      };
      printJson(stdout, Object.keys(more).length > 0 ? { machines: results, ...more } : results);
      return 0;
    }
    const verb = flags.dryRun ? "would remove" : "removed";
    for (const { pid, name, removedPaths, failedPaths, registryRemoved } of results) {
      printLine(stdout, `${printable(name ?? `pid ${pid}`)}:`);
      for (const path of removedPaths) printLine(stdout, `  ${verb} ${printable(path)}`);
      // A machine may have removed its files itself in the meantime: only what keeps the record is a failure.
      if (registryRemoved) continue;
      for (const path of failedPaths) printLine(stdout, `  could not remove ${printable(path)}`);
    }
    const caches = [...templates, ...images, ...mounts];
    for (const { path, bytes } of caches) {
      printLine(stdout, `${verb} ${printable(path)} (${formatBytes(bytes)})`);
    }
    if (results.length + caches.length === 0) printLine(stdout, "Nothing to remove.");
    return results.every(({ registryRemoved }) => registryRemoved) ? 0 : 1;
  },
});
