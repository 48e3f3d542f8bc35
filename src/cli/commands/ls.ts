import type { MachineInfo } from "../../runtime/host/host.ts";
import { printable } from "../../runtime/printable.ts";
import { defineCommand, jsonFlag } from "../command.ts";
import { formatBytes, formatDuration, printJson, printLine, table } from "../output.ts";

/** `8080:80`, with the address where it is not the usual one. */
function ports({ portForward = [] }: MachineInfo): string {
  const shown = portForward.map(({ hostAddr, hostPort, guestPort }) => {
    const address = hostAddr === undefined || hostAddr === "127.0.0.1" ? "" : `${hostAddr}:`;
    return `${address}${hostPort}:${guestPort}`;
  });
  return shown.join(" ") || "-";
}

function row(machine: MachineInfo, now: number): string[] {
  const origin = machine.parentName ?? machine.parentPid?.toString() ?? machine.forkedFrom ?? "-";
  const given =
    machine.memoryMib === undefined ? "" : ` of ${formatBytes(machine.memoryMib * 1024 ** 2)}`;
  return [
    printable(machine.name ?? "-"),
    String(machine.pid),
    machine.state,
    formatDuration(now - machine.startedAt),
    `${formatBytes(machine.rssBytes)}${given}`,
    printable(origin),
    ports(machine),
  ];
}

export const ls = defineCommand({
  name: "ls",
  aliases: ["ps"],
  summary: "List the running machines",
  flags: { json: jsonFlag },
  examples: [
    { command: "machinen ls", does: "a table" },
    { command: "machinen ls --json | jq -r '.[].name'", does: "only the names" },
  ],
  async run({ flags }, { host, stdout }) {
    const machines = await (await host()).list();
    if (flags.json) printJson(stdout, machines);
    else if (machines.length === 0)
      printLine(stdout, "No machine is running. machinen boot starts one.");
    else {
      const now = Date.now();
      const header = ["NAME", "PID", "STATE", "UPTIME", "MEMORY", "FORKED FROM", "PORTS"];
      printLine(stdout, table([header, ...machines.map((machine) => row(machine, now))]));
    }
    return 0;
  },
});
