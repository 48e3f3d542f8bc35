import type {
  FileDifference,
  MachineDifference,
  ProcessDifference,
  SessionDifference,
} from "../runtime/compare/index.ts";
import { printable } from "../runtime/printable.ts";

const LETTERS = { added: "A", removed: "D", changed: "C" } as const;
const LONGEST_COMMAND = 100;

export interface Names {
  a: string;
  b: string;
}

/** Which of the two the change was made in, where it cannot be seen from the change itself. */
function author({ touchedBy }: FileDifference, names: Names): string {
  if (touchedBy === undefined) return "";
  return touchedBy === "both" ? "in both" : `in ${names[touchedBy]}`;
}

function fileLine(file: FileDifference, names: Names): string {
  const mode = (bits: number | undefined) => (bits ?? 0).toString(8).padStart(4, "0");
  const details = file.aspects.map((aspect) => {
    if (aspect === "mode") return `mode ${mode(file.a?.mode)} -> ${mode(file.b?.mode)}`;
    if (aspect === "owner") {
      return `owner ${file.a?.uid}:${file.a?.gid} -> ${file.b?.uid}:${file.b?.gid}`;
    }
    if (aspect === "target") {
      return `target ${printable(file.a?.target ?? "")} -> ${printable(file.b?.target ?? "")}`;
    }
    if (aspect === "type") return `${file.a?.type} -> ${file.b?.type}`;
    return aspect;
  });
  const note = [...details, author(file, names)].filter((text) => text !== "").join(", ");
  return `  ${LETTERS[file.change]} ${printable(file.path)}${note ? `  (${note})` : ""}`;
}

function processLine(process: ProcessDifference, names: Names): string {
  const words = printable(process.command || `[${process.name}]`).slice(0, LONGEST_COMMAND);
  return `  ${process.only === "a" ? "-" : "+"} ${process.pid} ${words}  (only in ${names[process.only]})`;
}

function value(text: string | undefined): string {
  return text === undefined ? "(unset)" : printable(text);
}

function sessionLines(session: SessionDifference, names: Names): string[] {
  const name = printable(session.name);
  if (session.only) return [`  ${name}: only in ${names[session.only]}`];
  const status = ({ a, b }: { a?: number; b?: number }) => `${a ?? "?"} -> ${b ?? "?"}`;
  return [
    `  ${name}`,
    ...(session.lastStatus ? [`    last command ended with ${status(session.lastStatus)}`] : []),
    ...session.environment.map(
      (variable) => `    ${printable(variable.name)}: ${value(variable.a)} -> ${value(variable.b)}`,
    ),
  ];
}

/** For people: one section for each kind of thing that differs. What comes from guests steers no terminal. */
export function differenceText(difference: MachineDifference, names: Names): string {
  const sections: [string, string[]][] = [
    ["Files", difference.files.map((file) => fileLine(file, names))],
    ["Processes", difference.processes.map((process) => processLine(process, names))],
    ["Sessions", difference.sessions.flatMap((session) => sessionLines(session, names))],
    [
      "Not looked into",
      difference.unread.map(({ side, path }) => `  ${printable(path)}  (in ${names[side]})`),
    ],
  ];
  const filled = sections.filter(([, lines]) => lines.length > 0);
  if (filled.length === 0) return `${names.a} and ${names.b} do not differ`;
  return filled.map(([title, lines]) => [title, ...lines].join("\n")).join("\n\n");
}
