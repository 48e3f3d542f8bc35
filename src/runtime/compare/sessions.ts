import type { SessionDifference, Side } from "./types.ts";

/** What a session's shell says of itself, or what its first process was started with. */
export interface SessionState {
  name: string;
  environment: ReadonlyMap<string, string>;
  lastStatus?: number;
}

/** NUL-separated NAME=value, as `env -0` and /proc/PID/environ give it. */
export function parseEnvironment(bytes: Buffer): Map<string, string> {
  const variables = new Map<string, string>();
  for (const item of bytes.toString("utf8").split("\0")) {
    const equals = item.indexOf("=");
    if (equals > 0) variables.set(item.slice(0, equals), item.slice(equals + 1));
  }
  // What the shell sets anew for every command says nothing.
  variables.delete("_");
  return variables;
}

function compareEnvironment(
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): SessionDifference["environment"] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((name) => a.get(name) !== b.get(name))
    .sort()
    .map((name) => ({
      name,
      ...(a.has(name) ? { a: a.get(name)! } : {}),
      ...(b.has(name) ? { b: b.get(name)! } : {}),
    }));
}

function compareSession(a: SessionState, b: SessionState): SessionDifference[] {
  const environment = compareEnvironment(a.environment, b.environment);
  const differ = a.lastStatus !== b.lastStatus;
  if (environment.length === 0 && !differ) return [];
  const lastStatus = {
    ...(a.lastStatus === undefined ? {} : { a: a.lastStatus }),
    ...(b.lastStatus === undefined ? {} : { b: b.lastStatus }),
  };
  return [{ name: a.name, environment, ...(differ ? { lastStatus } : {}) }];
}

export function compareSessions(a: SessionState[], b: SessionState[]): SessionDifference[] {
  const only = (here: SessionState[], there: SessionState[], side: Side) =>
    here
      .filter(({ name }) => !there.some((other) => other.name === name))
      .map(({ name }) => ({ name, only: side, environment: [] }))
      .sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
  const both = a.flatMap((left) => {
    const right = b.find(({ name }) => name === left.name);
    return right ? compareSession(left, right) : [];
  });
  return [...both, ...only(a, b, "a"), ...only(b, a, "b")];
}
