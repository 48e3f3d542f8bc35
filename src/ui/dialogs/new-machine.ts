import type { HostBootOptions } from "../../runtime/host/host.ts";
import type { LiveMount, Mount } from "../../runtime/machine/boot-options.ts";
import type { Settings } from "../config/settings.ts";
import { CommandError } from "../errors.ts";
import { fromHome } from "../from-home.ts";

/** One line of the new-machine dialog. */
export interface FormField {
  name: "name" | "image" | "memory" | "cpus" | "mount" | "live" | "ports" | "command";
  label: string;
  text: string;
  /** What belongs there, shown while it is empty. */
  hint: string;
}

export function newMachineFields(settings: Settings): FormField[] {
  return [
    { name: "name", label: "Name", text: "", hint: "the next free one of m1, m2, …" },
    {
      name: "image",
      label: "Image",
      text: settings["new-machine.image"],
      hint: "tiny, debian, or the path of a rootfs tarball",
    },
    {
      name: "memory",
      label: "Memory",
      text: String(settings["new-machine.memory"]),
      hint: "MiB",
    },
    { name: "cpus", label: "CPUs", text: "", hint: "1" },
    { name: "mount", label: "Mount", text: "", hint: "host directory:/mnt/name, a copy of it" },
    { name: "live", label: "Live mount", text: "", hint: "host directory:/mnt/name, seen live" },
    { name: "ports", label: "Ports", text: "", hint: "host port:guest port, more after a space" },
    {
      name: "command",
      label: "Command",
      text: "",
      hint: "what it runs; it powers off when that ends",
    },
  ];
}

/** What the dialog asks for. @throws {CommandError} COMMAND_ARGUMENT_INVALID naming the line */
export function newMachineOptions(fields: readonly FormField[]): HostBootOptions {
  const text = (name: FormField["name"]): string | undefined =>
    fields.find((field) => field.name === name)?.text.trim() || undefined;
  const memory = text("memory");
  const cpus = text("cpus");
  const mount = text("mount");
  const live = text("live");
  const command = text("command");
  return {
    name: text("name"),
    image: text("image"),
    memoryMib: memory === undefined ? undefined : readMemory(memory),
    cpus: cpus === undefined ? undefined : readCpus(cpus),
    mount: mount === undefined ? undefined : readMount("Mount", mount),
    liveMounts: live === undefined ? undefined : [readLiveMount(live)],
    portForward: text("ports")
      ?.split(/[\s,]+/)
      .map(readPort),
    command: command === undefined ? undefined : ["/bin/sh", "-c", command],
  };
}

function readMemory(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw invalid(`Memory is a number of MiB, not "${text}"`);
}

function readCpus(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) > 0) return Number(text);
  throw invalid(`CPUs is a number of virtual processors, not "${text}"`);
}

function readMount(line: string, text: string): Mount {
  const [, host, guest] = /^(.+):(\/mnt\/[^:]+)$/.exec(text) ?? [];
  if (host !== undefined && guest !== undefined) return { host: fromHome(host), guest };
  throw invalid(
    `${line} is a directory here and one below /mnt there, as ./site:/mnt/site, not "${text}"`,
  );
}

function readLiveMount(text: string): LiveMount {
  const readOnly = text.endsWith(":ro");
  const mount = readMount("Live mount", text.replace(/:r[ow]$/, ""));
  return readOnly ? { ...mount, mode: "ro" } : mount;
}

function readPort(text: string): { hostPort: number; guestPort: number } {
  const [, host, guest] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const ports = { hostPort: Number(host), guestPort: Number(guest) };
  if (isPort(ports.hostPort) && isPort(ports.guestPort)) return ports;
  throw invalid(`Ports are host:guest, as 8080:80, not "${text}"`);
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

function invalid(message: string): CommandError {
  return new CommandError("COMMAND_ARGUMENT_INVALID", message);
}
