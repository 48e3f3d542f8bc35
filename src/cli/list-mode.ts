import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { Sandboxes, Supervisor } from "../runtime/multiplex/index.ts";
import { printable } from "../runtime/printable.ts";
import { commands } from "../ui/commands.ts";
import { detachByte } from "../ui/config/detach-byte.ts";
import { loadConfig } from "../ui/config/load-config.ts";
import { describeError } from "../ui/errors.ts";
import { formatAge } from "../ui/format.ts";
import { machineName } from "../ui/names.ts";
import type { Context } from "./command.ts";
import { openForList } from "./list-session.ts";
import { findTarget } from "./target.ts";

const everyMs = 1000;

/**
 * The UI as lines that are only ever added: nothing is drawn twice, no boxes, no colours. Commands
 * begin with a slash; what happens to machines is told as it happens.
 */
export async function runListMode(host: Host, context: Context): Promise<number> {
  const { stdin, stdout } = context;
  const { config, problems } = loadConfig();
  const sandboxes = new Sandboxes();
  const say = (text: string): void => void stdout.write(`${printable(text)}\n`);
  for (const problem of problems) say(problem);
  let known: MachineInfo[] = [];
  const attempt = (doing: string, work: () => Promise<string | undefined>): void => {
    say(doing);
    work().then(
      (text) => text !== undefined && say(text),
      (error) => say(`${doing}: ${describeError(error)}`),
    );
  };
  const target = async (word: string): Promise<MachineInfo> => findTarget(await host.list(), word);

  const supervisor = new Supervisor({
    sandboxes,
    input: stdin,
    output: stdout,
    detachKey: detachByte(config.settings["keyboard.detach"]),
    commands: [
      {
        name: "ls",
        description: commands.ls.description,
        run: () => {
          if (known.length === 0) say("no machine is running");
          for (const machine of known) say(describe(machine));
        },
      },
      {
        name: "attach",
        argument: "<machine>",
        description: "join a machine's shell; the detach key, typed twice, leaves it",
        run: (word) =>
          attempt(`attaching to ${word}`, async () => {
            const machine = await target(word);
            const session = await openForList(host, machine.id, stdout);
            const id = machineName(machine);
            sandboxes.remove(id);
            sandboxes.add(id, session);
            supervisor.attach(id);
            return undefined;
          }),
      },
      {
        name: "new",
        argument: "[name]",
        description: commands.new.description,
        run: (name) =>
          attempt("starting a machine", async () => {
            const machine = await host.boot({
              ...(name ? { name } : {}),
              image: config.settings["new-machine.image"],
              memoryMib: config.settings["new-machine.memory"],
            });
            return `${machineName(machine)} is running`;
          }),
      },
      {
        name: "fork",
        argument: "<machine>",
        description: "fork a machine: memory, processes, screen",
        run: (word) =>
          attempt(`forking ${word}`, async () => {
            const copy = await host.fork((await target(word)).id);
            return `${machineName(copy)} is a fork of ${word}`;
          }),
      },
      {
        name: "snapshot",
        argument: "<machine>",
        description: "write a snapshot of a machine",
        run: (word) =>
          attempt(`snapshotting ${word}`, async () => {
            const { directory } = await host.snapshot((await target(word)).id);
            return `snapshot of ${word}: ${directory}`;
          }),
      },
      {
        name: "restore",
        argument: "<directory>",
        description: commands.restore.description,
        run: (directory) =>
          attempt(
            `restoring ${directory}`,
            async () => `${machineName(await host.restore(directory))} is running`,
          ),
      },
      {
        name: "stop",
        argument: "<machine>",
        description: "stop a machine; what it has in memory is lost",
        run: (word) =>
          attempt(`stopping ${word}`, async () => {
            await host.stop((await target(word)).id);
            return `${word} is stopped`;
          }),
      },
    ],
  });

  const look = async (): Promise<void> => {
    const now = await host.list();
    const was = new Set(known.map(({ id }) => id));
    const is = new Set(now.map(({ id }) => id));
    for (const machine of now) if (!was.has(machine.id)) say(`${machineName(machine)} is there`);
    for (const machine of known) if (!is.has(machine.id)) say(`${machineName(machine)} has ended`);
    known = now;
  };
  await look();
  // Nothing is said into a session that is being typed into.
  const timer = setInterval(() => {
    if (!supervisor.attached) look().catch(() => {});
  }, everyMs);
  try {
    await supervisor.run();
    return 0;
  } finally {
    clearInterval(timer);
  }
}

function describe(machine: MachineInfo): string {
  return `${machineName(machine)}, ${machine.state}, ${formatAge(Date.now() - machine.startedAt)}`;
}
