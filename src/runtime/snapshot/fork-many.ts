import { randomBytes } from "node:crypto";
import { BootError, ParseError } from "../errors.ts";
import type { Machine } from "../machine/vm-handle.ts";
import type { RegistryEntry } from "../registry/index.ts";
import { checkForkable, forkFresh } from "./fork.ts";
import type { ForkManyOptions } from "./options.ts";
import { waitUntilUp } from "./wait-until-up.ts";

/** What one VMM hands out before its copies are given up. */
const MAX_FORKS = 64;

function checkCount(count: number, names: string[] | undefined): void {
  const refuse = (reason: string) => {
    throw new ParseError("PARSE_FLAG_MALFORMED", reason);
  };
  if (!Number.isInteger(count) || count < 1 || count > MAX_FORKS) {
    refuse(`the number of forks must be from 1 to ${MAX_FORKS}, not ${count}`);
  }
  if (names !== undefined && (names.length !== count || new Set(names).size !== count)) {
    refuse(`${count} forks need ${count} different names`);
  }
}

/**
 * Several copies of a running machine, all of the same moment: it is stopped once. All or none: when one
 * fails the others are ended.
 *
 * @throws what `fork()` throws, and {ParseError} PARSE_FLAG_MALFORMED
 */
export async function forkManyMachines(
  source: RegistryEntry,
  count: number,
  opts: ForkManyOptions = {},
): Promise<Machine[]> {
  const { names, ...each } = opts;
  checkCount(count, names);
  if (count > 1 && each.portForward?.length) {
    throw new BootError(
      "BOOT_PORT_FORWARD_CONFLICT",
      "portForward: a host port leads to one machine, not to several forks",
    );
  }
  await checkForkable(source, each);
  await waitUntilUp(source);
  const group = count === 1 ? undefined : `${randomBytes(8).toString("hex")}:${count}`;
  const forks = await Promise.allSettled(
    Array.from({ length: count }, (_, i) =>
      forkFresh(source, { ...each, name: names?.[i] }, group),
    ),
  );
  const failed = forks.find((fork) => fork.status === "rejected");
  if (failed === undefined) {
    return forks.flatMap((fork) => (fork.status === "fulfilled" ? [fork.value] : []));
  }
  await Promise.all(forks.map((fork) => fork.status === "fulfilled" && fork.value.kill()));
  throw failed.reason;
}
