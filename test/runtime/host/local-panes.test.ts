import { afterEach, expect, test } from "vitest";
import type { Host, MachineInfo } from "../../../src/runtime/host/host.ts";
import { type HostWithLocalPanes, withLocalPanes } from "../../../src/runtime/host/local-panes.ts";

/** Nothing but the list is asked of the machines' own host here. */
const machines: MachineInfo[] = [];
const empty = { list: async () => machines } as unknown as Host;
const size = { cols: 80, rows: 24 };
const opened: HostWithLocalPanes[] = [];

function panes(command: string, count = 1): HostWithLocalPanes {
  const host = withLocalPanes(empty, { command, count });
  opened.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((host) => host.close()));
});

const listed = async (host: Host): Promise<string[]> => (await host.list()).map(({ id }) => id);

test("a program that does not exist is told, with its status and what was said of it", async () => {
  const { command, status, output } = await panes("nosuchcmd --flag", 2).failed;
  expect({ command, status }).toEqual({ command: "nosuchcmd --flag", status: 127 });
  expect(output).toContain("nosuchcmd");
});

test("a program that failed shows why until it is closed, and starts again when it is opened", async () => {
  const host = panes("echo cannot go on; exit 3");
  expect(await host.failed).toMatchObject({ status: 3 });
  expect(await listed(host)).toEqual(["local-1"]);
  let seen = "";
  const onReplay = ({ bytes }: { bytes: Buffer }) => {
    seen += bytes.toString();
  };
  // Nobody has seen it: opening its pane shows how it ended instead of running it again.
  const ended = await host.openSession("local-1", { ...size, onReplay });
  expect(seen).toContain("cannot go on");
  expect(await ended.wait()).toEqual({ code: 3, signal: null });
  const again = await host.openSession("local-1", size);
  expect(again.pid).not.toBe(ended.pid);
  expect(await again.wait()).toEqual({ code: 3, signal: null });
  await host.stop("local-1");
  expect(await listed(host)).toEqual([]);
  await expect(host.openSession("local-1", size)).rejects.toMatchObject({
    code: "REGISTRY_VM_NOT_FOUND",
  });
});

test("a program that ends well, or that its user has ended, is gone without a word", async () => {
  const well = panes("exit 0");
  const shell = panes("read line; exit 4");
  const stopped = panes("sleep 600");
  const failures: number[] = [];
  for (const host of [well, shell, stopped]) {
    void host.failed.then(({ status }) => failures.push(status));
  }
  await expect.poll(() => listed(well), { timeout: 60_000 }).toEqual([]);
  const typed = await shell.openSession("local-1", size);
  typed.stdin.write("go\r");
  expect(await typed.wait()).toEqual({ code: 4, signal: null });
  expect(await listed(shell)).toEqual(["local-1"]);
  await stopped.stop("local-1");
  expect(await listed(stopped)).toEqual([]);
  expect(failures).toEqual([]);
});
