import { readNumbers, splitRecords } from "./records.ts";
import type { ProcessDifference, Side } from "./types.ts";

export interface ProcessRecord {
  pid: number;
  parentPid: number;
  session: number;
  /** Clock ticks since the guest's boot: with the pid, the identity of a process. */
  start: number;
  uid: number;
  state: string;
  name: string;
  command: string;
}

/** The answer of `inventory processes`. A row that makes no sense is skipped. */
export function parseProcesses(bytes: Buffer): ProcessRecord[] {
  return splitRecords(bytes, 3).flatMap(([head = "", name = "", command = ""]) => {
    const state = head.slice(-1);
    const numbers = readNumbers(head.slice(0, -2), 5);
    if (!numbers) return [];
    const [pid, parentPid, session, start, uid] = numbers as [
      number,
      number,
      number,
      number,
      number,
    ];
    return [{ pid, parentPid, session, start, uid, state, name, command: command.trimEnd() }];
  });
}

/** A program may have become another one in one of them: the same process with another command differs too. */
const identity = ({ pid, start, command }: ProcessRecord) => `${pid} ${start} ${command}`;

export function compareProcesses(a: ProcessRecord[], b: ProcessRecord[]): ProcessDifference[] {
  const missing = (here: ProcessRecord[], there: ProcessRecord[], only: Side) => {
    const known = new Set(there.map(identity));
    return here
      .filter((process) => !known.has(identity(process)))
      .map(({ pid, parentPid, uid, name, command }) => ({
        only,
        pid,
        parentPid,
        uid,
        name,
        command,
      }));
  };
  return [...missing(a, b, "a"), ...missing(b, a, "b")];
}
