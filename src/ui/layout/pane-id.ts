/**
 * Names what a pane shows: a session of a machine, as `<machine id>/<session>`. A session stands at
 * most once in a tab, so that this also names the pane.
 */
export type PaneId = string;

/** The session every machine has: the one that is opened when nothing else is said. */
export const mainSession = "main";

export function paneId(machine: string, session: string = mainSession): PaneId {
  return `${machine}/${session}`;
}

/** Session names may contain slashes, machine ids do not. */
export function paneTarget(id: PaneId): { machine: string; session: string } {
  const slash = id.indexOf("/");
  return { machine: id.slice(0, slash), session: id.slice(slash + 1) };
}
