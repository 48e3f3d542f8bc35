// Makes a fresh clone ready to run: system packages, node_modules, native programs, bundle, guest
// assets. Does only what is missing, so that `npm start` and `npm test` can call it every time.
// With --test or --bench also what only the tests or the bench need.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleIsStale } from "./setup/bundle-stamp.mjs";
import { withSetupLock } from "./setup/lock.mjs";
import { nodeModulesMatch, nodePtyIsBuilt, npmEnvironment } from "./setup/node-modules.mjs";
import { runStep, StepFailed } from "./setup/step.mjs";
import { isProvided, missingPackages } from "./setup/system-packages.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const retry = ["cd", `'${root}'`, "&& node bin/setup.mjs", ...process.argv.slice(2)].join(" ");
const cli = join(root, "dist/cli.js");
const extras = ["test", "bench"].filter((purpose) => process.argv.includes(`--${purpose}`));

/** Tells the user what only they can do, and ends. */
class NeedsUser extends Error {}

function systemPackagesStep() {
  const purposes = nodePtyIsBuilt(root) ? extras : [...extras, "node-pty"];
  const missing = missingPackages(purposes);
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name }) => name);
  const why = missing.map(({ name, reason }) => `  ${name}: ${reason}\n`).join("");
  if (!isProvided("apt-get"))
    throw new NeedsUser(
      `install with this system's package manager what these Debian packages hold:\n${why}`,
    );
  const install = ["apt-get", "install", "-y", "--no-install-recommends", ...names];
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status !== 0)
    throw new NeedsUser(
      `these packages are missing:\n${why}Install them, then start again:\n` +
        `  sudo apt-get update && sudo ${install.join(" ")}\n`,
    );
  const prefix = isRoot ? ["env"] : ["sudo", "-n", "env"];
  const program = (args) => {
    const [command, ...rest] = [...prefix, "DEBIAN_FRONTEND=noninteractive", ...args];
    return { command, args: rest };
  };
  return {
    title: `install ${names.join(", ")}`,
    programs: [program(["apt-get", "update"]), program(install)],
    retry,
  };
}

function nodeModulesStep() {
  if (nodeModulesMatch(root)) return undefined;
  return {
    title: "install the npm packages",
    programs: [
      {
        command: "npm",
        args: ["ci", "--include=dev", "--no-audit", "--no-fund"],
        cwd: root,
        env: npmEnvironment(),
      },
    ],
    retry: `cd '${root}' && npm ci`,
  };
}

function nativeStep(directory) {
  return () => {
    const question = spawnSync("make", ["-q", "-C", join(root, directory)], { stdio: "ignore" });
    if (question.status === 0) return undefined;
    return {
      title: `build ${directory}/`,
      programs: [{ command: "make", args: ["-C", join(root, directory)] }],
      retry: `make -C '${join(root, directory)}'`,
    };
  };
}

function bundleStep() {
  const markBuilt = bundleIsStale(root);
  if (!markBuilt) return undefined;
  return {
    title: "bundle the program",
    programs: [{ command: process.execPath, args: [join(root, "bin/build.mjs")] }],
    retry: `cd '${root}' && node bin/build.mjs`,
    markBuilt,
  };
}

function assetStep(kind, title) {
  return () => {
    const check = [cli, "install", "--check", kind];
    if (spawnSync(process.execPath, check, { stdio: "ignore" }).status === 0) return undefined;
    return {
      title,
      programs: [{ command: process.execPath, args: [cli, "install", kind] }],
      retry: `'${join(root, "bin/machinen")}' install ${kind}`,
    };
  };
}

const steps = [
  systemPackagesStep,
  nodeModulesStep,
  nativeStep("vmm"),
  nativeStep("guest"),
  bundleStep,
  assetStep("kernel", "fetch the guest kernel"),
  assetStep("tiny", "build the tiny base"),
  ...(extras.length > 0 ? [assetStep("debian", "build the Debian base")] : []),
];

/** Later steps can only be judged after the earlier ones: what to do is found while doing it. */
async function setUp() {
  let announced = false;
  for (const next of steps) {
    const step = next();
    if (!step) continue;
    if (!announced) process.stderr.write("Setting up machinen\n");
    announced = true;
    await runStep(step);
    step.markBuilt?.();
  }
}

function hasNothingToDo() {
  return existsSync(cli) && steps.every((next) => !next());
}

try {
  if (Number(process.versions.node.split(".")[0]) < 20)
    throw new NeedsUser(`Node ${process.versions.node} is too old; install Node 20 or newer.\n`);
  mkdirSync(join(root, "dist"), { recursive: true });
  if (!hasNothingToDo()) await withSetupLock(join(root, "dist/.setup-lock"), setUp);
} catch (error) {
  if (error instanceof NeedsUser) process.stderr.write(`machinen: ${error.message}`);
  else if (!(error instanceof StepFailed)) throw error;
  process.exitCode = 1;
}
