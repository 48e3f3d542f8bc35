// Whether node_modules is what package-lock.json asks for.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** node-pty ships no binary for Linux: its own build counts. */
export function nodePtyIsBuilt(root) {
  const directory = join(root, "node_modules/node-pty");
  return (
    existsSync(join(directory, "build/Release/pty.node")) ||
    existsSync(join(directory, `prebuilds/${process.platform}-${process.arch}/pty.node`))
  );
}

/** npm notes what it installed in node_modules/.package-lock.json, so no stamp of ours is needed. */
export function nodeModulesMatch(root) {
  const wanted = readJson(join(root, "package-lock.json"))?.packages;
  const installed = readJson(join(root, "node_modules/.package-lock.json"))?.packages;
  if (!wanted || !installed || !nodePtyIsBuilt(root)) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === "" || (optional && !installed[path])) return true;
    const found = installed[path];
    return (
      found?.version === version && found.integrity === integrity && existsSync(join(root, path))
    );
  });
}

/** Point node-gyp at the headers that came with this Node: it would download them otherwise. */
export function npmEnvironment() {
  const prefix = dirname(dirname(process.execPath));
  const hasHeaders = existsSync(join(prefix, "include/node/node.h"));
  return hasHeaders ? { ...process.env, npm_config_nodedir: prefix } : process.env;
}
