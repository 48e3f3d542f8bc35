import type { Host, MachineInfo } from "../runtime/host/host.ts";
import { Sandboxes, Supervisor } from "../runtime/multiplex/index.ts";
import { printable } from "../runtime/printable.ts";
import { detachByte } from "../ui/config/detach-byte.ts";
import { loadConfig } from "../ui/config/load-config.ts";
import { describeError } from "../ui/errors.ts";
import { MachineWatch } from "../ui/machine-watch.ts";
import { machineName } from "../ui/names.ts";
import type { Context } from "./command.ts";
import { changeLines } from "./list-changes.ts";
import { listCommands } from "./list-commands.ts";
import { ListNews } from "./list-news.ts";
import { openForList } from "./list-session.ts";

/**
 * The UI as lines that are only ever added: nothing is drawn twice, no boxes, no colours. Commands
 * begin with a slash; what happens to machines is told as it happens.
 */
export async function runListMode(
  host: Host,
  { stdin, stdout }: Pick<Context, "stdin" | "stdout">,
  bootWhenEmpty = 0,
): Promise<number> {
  const { config, problems } = loadConfig();
  const sandboxes = new Sandboxes();
  const say = (text: string): void => {
    for (const line of text.split("\n")) stdout.write(`${printable(line)}\n`);
  };
  for (const problem of problems) say(problem);
  let known: readonly MachineInfo[] = [];
  let first = true;
  const news = new ListNews({
    host,
    settings: config.settings,
    say,
    ring: () => stdout.write("\x07"),
    attachedTo: () => (supervisor.attached ? attachedTo : undefined),
  });
  let attachedTo: string | undefined;
  const { commands, start } = listCommands({
    host,
    settings: config.settings,
    known: () => known,
    news,
    say,
    attach: async (machine) => {
      const session = await openForList(host, machine.id, stdout);
      const id = machineName(machine);
      sandboxes.remove(id);
      sandboxes.add(id, session);
      attachedTo = machine.id;
      supervisor.attach(id);
    },
  });
  const supervisor = new Supervisor({
    sandboxes,
    input: stdin,
    output: stdout,
    detachKey: detachByte(config.settings["keyboard.detach"]),
    commands,
  });
  const watch = new MachineWatch({
    host,
    onList: (machines) => {
      news.sync(machines);
      // Nothing is said into a session that is being typed into: it is told after that.
      if (supervisor.attached) return;
      for (const line of changeLines(known, machines)) say(line);
      news.flush(machines);
      known = machines;
      if (first && machines.length === 0) for (let n = 0; n < bootWhenEmpty; n++) start("");
      first = false;
    },
    onError: (error) => say(`looking for machines: ${describeError(error)}`),
  });
  watch.start();
  try {
    await supervisor.run();
    return 0;
  } finally {
    watch.stop();
    news.close();
  }
}
