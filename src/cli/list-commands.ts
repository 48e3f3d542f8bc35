import type { Host, MachineInfo, SnapshotInfo } from "../runtime/host/host.ts";
import type { SupervisorCommand } from "../runtime/multiplex/index.ts";
import { commands } from "../ui/commands.ts";
import type { Settings } from "../ui/config/settings.ts";
import { withNextStep } from "../ui/errors.ts";
import { formatMoment } from "../ui/format.ts";
import { machineName } from "../ui/names.ts";
import { differenceText } from "./difference-text.ts";
import { machineLine } from "./list-changes.ts";
import type { ListNews } from "./list-news.ts";
import { findTarget } from "./target.ts";

export interface ListCommandsOptions {
  host: Host;
  settings: Settings;
  /** The machines as they were told last. */
  known(): readonly MachineInfo[];
  news: ListNews;
  say(text: string): void;
  /** Joins the machine's shell. */
  attach(machine: MachineInfo): Promise<void>;
}

export interface ListCommands {
  commands: SupervisorCommand[];
  /** Begins a machine as the configuration says; what comes of it is told. */
  start(name: string): void;
}

/** What can be typed in the list: each says that it begins, and in another line what came of it. */
export function listCommands(options: ListCommandsOptions): ListCommands {
  const { host, settings, news, say } = options;
  const attempt = (doing: string, work: () => Promise<string | undefined>): void => {
    say(doing);
    work().then(
      (text) => text !== undefined && say(text),
      (error) => say(`${doing}: ${withNextStep(error)}`),
    );
  };
  const target = async (word: string): Promise<MachineInfo> => findTarget(await host.list(), word);
  const start = (name: string): void =>
    attempt(name ? `starting ${name}` : "starting a machine", async () => {
      const machine = await host.boot({
        ...(name ? { name } : {}),
        image: settings["new-machine.image"],
        memoryMib: settings["new-machine.memory"],
      });
      return `${machineName(machine)} is running`;
    });
  const list = (): void => {
    const machines = options.known();
    if (machines.length === 0) say("no machine is running");
    for (const machine of machines) {
      const more = [
        ...(news.waits(machine.id) ? ["waits for input"] : []),
        ...(news.isMuted(machine.id) ? ["muted"] : []),
      ];
      say([machineLine(machine, Date.now()), ...more].join(", "));
    }
  };
  const restore = async (word: string): Promise<string> => {
    const snapshots = await host.listSnapshots();
    if (word === "") return snapshotLines(snapshots);
    const directory = snapshots[Number(word) - 1]?.directory ?? word;
    return `${machineName(await host.restore(directory))} is running`;
  };

  const differences = async (words: string): Promise<string> => {
    const machines = await host.list();
    const [first = "", second] = words.split(/\s+/);
    const one = findTarget(machines, first);
    const source = machines.find(({ pid }) => pid === one.parentPid);
    const other = second === undefined ? source : findTarget(machines, second);
    if (!other) return `${first} has no source here: name two machines`;
    // The older one comes first: what the fork has more is added.
    const [a, b] = one.startedAt < other.startedAt ? [one, other] : [other, one];
    const names = { a: machineName(a), b: machineName(b) };
    return differenceText(await host.compare(a.id, b.id), names);
  };

  return {
    start,
    commands: [
      { name: "ls", description: commands.ls.description, run: list },
      {
        name: "attach",
        argument: "<machine>",
        description: "join a machine's shell; the detach key, typed twice, leaves it",
        run: (word) =>
          attempt(`attaching to ${word}`, async () => {
            await options.attach(await target(word));
            return undefined;
          }),
      },
      { name: "new", argument: "[name]", description: commands.new.description, run: start },
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
        argument: "[number or directory]",
        description: "start a machine from a snapshot; without a word the snapshots are listed",
        run: (word) =>
          attempt(word ? `restoring ${word}` : "looking for snapshots", () => restore(word)),
      },
      {
        name: "rename",
        argument: "<machine and name>",
        description: "give a machine another name",
        run: (words) => {
          const [word = "", name = ""] = words.split(/\s+/);
          attempt(`renaming ${word}`, async () => {
            await host.rename((await target(word)).id, name);
            return `${word} is called ${name}`;
          });
        },
      },
      {
        name: "differences",
        argument: "<machine> [machine]",
        description: commands.differences.description,
        run: (words) =>
          attempt(`comparing ${words.split(/\s+/).join(" and ")}`, () => differences(words)),
      },
      {
        name: "mute",
        argument: "<machine>",
        description: commands.mute.description,
        run: (word) =>
          attempt(`looking for ${word}`, async () => {
            const muted = news.toggleMute((await target(word)).id);
            return `${word} is ${muted ? "muted" : "heard again"}`;
          }),
      },
      {
        name: "stop",
        argument: "<machine>",
        description: "stop a machine; what it has in memory is lost",
        run: (word) =>
          attempt(`stopping ${word}`, async () => {
            const { id } = await target(word);
            news.expectEnd(id, true);
            try {
              await host.stop(id);
            } finally {
              news.expectEnd(id, false);
            }
            return `${word} is stopped`;
          }),
      },
    ],
  };
}

/** The numbers are what `/restore` takes. */
function snapshotLines(snapshots: readonly SnapshotInfo[]): string {
  if (snapshots.length === 0) return "there are no snapshots yet: /snapshot writes one";
  return snapshots
    .map(({ directory, sourceName, takenAt }, index) => {
      const of = sourceName === undefined ? "" : `${sourceName}, `;
      return `${index + 1}: ${of}${formatMoment(takenAt)}, ${directory}`;
    })
    .join("\n");
}
