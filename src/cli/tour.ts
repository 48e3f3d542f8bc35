import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import type { Host, HostBootOptions, MachineInfo } from "../runtime/host/host.ts";
import { printable } from "../runtime/printable.ts";
import { loadConfig } from "../ui/config/load-config.ts";
import { makeMachine } from "./interruptible.ts";
import { printLine } from "./output.ts";
import { Interrupted } from "./report-error.ts";
import { openShell } from "./shell-session.ts";

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The claims of the tour are checked, not recited. */
function expect(actual: string, wanted: string, claim: string): void {
  if (actual !== wanted)
    throw new Error(`the tour expected ${claim}: "${wanted}", but it was "${actual}"`);
}

async function seconds<T>(work: () => Promise<T>): Promise<[T, string]> {
  const start = Date.now();
  const result = await work();
  return [result, `${((Date.now() - start) / 1000).toFixed(1)} s`];
}

async function tourSteps(
  host: Host,
  out: Writable,
  shape: HostBootOptions,
  started: MachineInfo[],
): Promise<void> {
  const taken = (await host.list()).map(({ name }) => name);
  const stem = taken.some((name) => name?.startsWith("tour")) ? `tour${process.pid}` : "tour";
  const [one, two, copy] = [`${stem}-1`, `${stem}-2`, `${stem}-1-fork`];
  const keep = async (make: () => Promise<MachineInfo>): Promise<MachineInfo> => {
    const machine = await makeMachine(host, make);
    started.push(machine);
    return machine;
  };

  printLine(out, "1. Boot two machines.");
  // Both come to an end before one's failure is told: a machine still in the making would be left.
  const boots = await Promise.allSettled(
    [one, two].map(async (name) => {
      const [machine, took] = await seconds(() => keep(() => host.boot({ ...shape, name })));
      printLine(out, `   ${name} answers after ${took} (pid ${machine.pid})`);
      return machine;
    }),
  );
  const machines = boots.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  const [first, second] = machines as [MachineInfo, MachineInfo];

  printLine(out, "2. Run a command in each (exec).");
  for (const machine of machines) {
    const result = await host.exec(machine.id, "echo $(uname -sr), host name $(hostname)");
    expect(String(result.exitCode), "0", "the command to succeed");
    printLine(out, `   ${machine.name}: ${result.stdout.trim()}`);
  }

  const value = randomBytes(4).toString("hex");
  printLine(out, `3. In a shell on ${one}, set a variable. It lives in that shell's memory only.`);
  const parentShell = await openShell(host, first.id);
  parentShell.type(`color=${value}`);
  expect(await parentShell.ask("$color"), value, `the shell on ${one} to know its variable`);
  printLine(out, `   ${one}: color=${value}`);

  printLine(out, `4. Fork ${one} while it runs.`);
  const [fork, forkTook] = await seconds(() => keep(() => host.fork(first.id, { name: copy })));
  printLine(out, `   ${copy} answers after ${forkTook} (pid ${fork.pid})`);

  printLine(out, "5. The same shell is in the fork, with its variable.");
  const forkShell = await openShell(host, fork.id);
  expect(await forkShell.ask("$color"), value, "the fork to have its parent's variable");
  printLine(out, `   ${copy}: color=${value}`);

  printLine(out, "6. From here on they go separate ways.");
  forkShell.type("color=changed-in-the-fork");
  expect(await forkShell.ask("$color"), "changed-in-the-fork", "the fork's variable to change");
  expect(await parentShell.ask("$color"), value, "the parent to keep its value");
  printLine(out, `   ${copy}: color=changed-in-the-fork`);
  printLine(out, `   ${one}: color=${value}`);
  parentShell.close();
  forkShell.close();

  printLine(out, "7. Stop all three.");
  for (const machine of [fork, first, second]) {
    await host.stop(machine.id);
    started.splice(started.indexOf(machine), 1);
    printLine(out, `   ${machine.name} is stopped`);
  }
  const left = (await host.list()).filter(({ id }) => [fork.id, first.id, second.id].includes(id));
  expect(String(left.length), "0", "no machine of the tour to be left");
}

/** What machinen does, shown without a terminal, with machines as the configuration says. Stops what it started, however it ends. */
export async function runTour(host: Host, out: Writable): Promise<number> {
  printLine(
    out,
    "machinen, a short tour (there is no terminal here; in one, this is a full-screen UI)\n",
  );
  const { config, problems } = loadConfig();
  for (const problem of problems) printLine(out, printable(problem));
  const shape = {
    image: config.settings["new-machine.image"],
    memoryMib: config.settings["new-machine.memory"],
  };
  const started: MachineInfo[] = [];
  let interrupt: (signal: NodeJS.Signals) => void = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (signal) => reject(new Interrupted(signals[signal as keyof typeof signals]));
  });
  for (const signal of Object.keys(signals)) process.on(signal, interrupt);
  const work = tourSteps(host, out, shape, started);
  try {
    await Promise.race([work, interrupted]);
  } finally {
    // A machine in the making stops itself; those that are made are stopped here, which ends all waiting.
    await Promise.allSettled(started.map(({ id }) => host.stop(id, { graceMs: 0 })));
    await Promise.allSettled([work]);
    for (const signal of Object.keys(signals)) process.off(signal, interrupt);
  }
  printLine(out, "\nThat was it. In a terminal: machinen. All commands: machinen --help");
  return 0;
}
