import type { HostBootOptions } from "../../runtime/host/host.ts";
import { type Command, defineCommand, jsonFlag } from "../command.ts";
import { makeMachine } from "../interruptible.ts";
import { liveMountFlag, readLiveMounts } from "../live-mount-flag.ts";
import { mountFlag, readMount } from "../mount-flag.ts";
import { printJson, printLine } from "../output.ts";
import { publishFlag, readPublished } from "../port-flag.ts";
import { usage } from "../split-arguments.ts";
import { machineName } from "../target.ts";
import { withTimer } from "../with-timer.ts";
import { installWithProgress } from "./install.ts";

export const boot: Command = defineCommand({
  name: "boot",
  summary: "Boot a machine that keeps running in the background",
  arguments: [{ name: "name", description: "what to call it; default: m1, m2, ..." }],
  guestCommand: "after-dashes",
  flags: {
    image: {
      type: "string",
      shortFlag: "i",
      placeholder: "image",
      description: "tiny (default), debian, or the path of a rootfs tarball",
    },
    memory: {
      type: "number",
      shortFlag: "m",
      placeholder: "MiB",
      description: "memory of the machine; default 512",
    },
    cpus: {
      type: "number",
      placeholder: "count",
      description: "virtual processors; default 1",
    },
    name: {
      type: "string",
      shortFlag: "n",
      placeholder: "name",
      description: "the same as the argument",
    },
    mount: mountFlag,
    publish: publishFlag,
    liveMount: liveMountFlag,
    json: jsonFlag,
  },
  examples: [
    { command: "machinen boot web", does: "a tiny machine called web" },
    {
      command: "machinen boot db --image debian --memory 1024",
      does: "a Debian machine with 1 GiB",
    },
    { command: "machinen boot build -v .:/mnt/work", does: "works on this directory itself" },
    { command: "machinen boot web -p 8080:80", does: "its port 80 is this host's 127.0.0.1:8080" },
    {
      command: "machinen boot build --mount .:/mnt/src",
      does: "with a copy of this directory; the directory itself is only read",
    },
    {
      command: "machinen boot clock -- sh -c 'while date; do sleep 1; done'",
      does: "one that runs a command and powers off when it ends",
    },
  ],
  async run({ flags, args, guestCommand }, context) {
    if (args[0] !== undefined && flags.name !== undefined)
      throw usage(
        "PARSE_FLAG_DUPLICATE",
        "the name is given twice, as argument and as --name",
        boot,
      );
    const options: HostBootOptions = {
      ...readPublished(flags.publish, boot),
      ...readLiveMounts(flags.liveMount, boot),
      ...readMount(flags.mount, boot),
    };
    if (flags.image === "debian") await installWithProgress(["debian"], context);
    const host = await context.host();
    const name = args[0] ?? flags.name;
    if (name !== undefined) options.name = name;
    if (flags.image !== undefined) options.image = flags.image;
    if (flags.memory !== undefined) options.memoryMib = flags.memory;
    if (flags.cpus !== undefined) options.cpus = flags.cpus;
    if (guestCommand.length > 0) options.command = guestCommand;
    const machine = await withTimer(context, `booting ${name ?? "a machine"}`, () =>
      makeMachine(host, () => host.boot(options)),
    );
    if (flags.json) printJson(context.stdout, machine);
    else printLine(context.stdout, `${machineName(machine)} is running (pid ${machine.pid})`);
    return 0;
  },
});
