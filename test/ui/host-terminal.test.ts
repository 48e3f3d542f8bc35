import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import {
  enterSequence,
  HostTerminal,
  leaveSequence,
  mouseSequence,
} from "../../src/ui/host-terminal.ts";

function listeners(stream: PassThrough): [name: string, count: number][] {
  return stream.eventNames().map((name) => [String(name), stream.listenerCount(name)]);
}

it("takes and gives back a terminal many times without leaving listeners behind", async () => {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const frames = { painted: 0 };
  let lost = 0;
  const terminal = new HostTerminal({
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    mouse: true,
    paint: () => Buffer.from(`frame ${++frames.painted};`),
    onInput: () => {},
    onLost: () => lost++,
  });
  const stdinBefore = listeners(stdin);
  terminal.enter();
  await terminal.leave();
  expect(listeners(stdin)).toEqual(stdinBefore);
  const stdoutOnce = listeners(stdout);
  for (let round = 1; round <= 12; round++) {
    stdout.read();
    terminal.enter();
    expect(terminal.entered).toBe(true);
    terminal.requestFrame();
    await terminal.leave();
    expect(terminal.entered).toBe(false);
    terminal.requestFrame();
    expect(stdout.read().toString()).toBe(
      `${enterSequence}${mouseSequence}frame ${round};${leaveSequence}`,
    );
  }
  expect(listeners(stdin)).toEqual(stdinBefore);
  expect(listeners(stdout)).toEqual(stdoutOnce);
  expect(lost).toBe(0);
});
