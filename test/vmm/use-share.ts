import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { buildServer, LiveMountServer, op, say, words } from "./live-mount-server.ts";
import { scratchDirectory, until } from "./machine.ts";

export const openRead = words([4, 0], [4, 0]);
export const openWrite = words([4, 1], [4, 0]);
export const mkdirBody = words([4, 0o755], [4, 0]);
export const none = Buffer.alloc(0);

export interface Share {
  /** The directory of the host that is served, empty at the start of every test. */
  share: string;
  /** Beside it. */
  scratch: { path: string };
  /** A server to which nothing has been said yet. */
  start(mode?: "ro" | "rw", user?: number): LiveMountServer;
  /** The guest's kernel has nothing to do with it: whatever it would never send is sent. */
  serve(mode?: "ro" | "rw", state?: Buffer, user?: number): LiveMountServer;
}

/** A directory, and servers of it that end with the test. */
export function useShare(): Share {
  const scratch = scratchDirectory();
  const share = join(scratch.path, "share");
  const running: LiveMountServer[] = [];
  beforeAll(() => {
    buildServer();
    mkdirSync(share);
    chmodSync(share, 0o777);
    chmodSync(scratch.path, 0o755);
  }, 180_000);
  afterEach(async () => {
    for (const server of running.splice(0)) {
      await server.stop();
      expect(server.stderr).not.toContain("Sanitizer");
      expect(server.stderr).not.toContain("runtime error");
    }
    rmSync(share, { recursive: true });
    mkdirSync(share);
    chmodSync(share, 0o777);
  });
  afterAll(() => scratch.remove());
  const start: Share["start"] = (mode, user) => {
    const server = new LiveMountServer(share, mode, user);
    running.push(server);
    return server;
  };
  return {
    share,
    scratch,
    start,
    serve: (mode, state, user) => {
      const server = start(mode, user);
      server.hello(state);
      return server;
    },
  };
}

export function readBody(handle: bigint, size = 4096): Buffer {
  return words([8, handle], [8, 0], [4, size], [4, 0], [8, 0], [4, 0], [4, 0]);
}

export async function contentOf(server: LiveMountServer, node: bigint): Promise<string> {
  const opened = await server.ask(op.open, node, openRead);
  if (opened.error !== 0) return `errno ${opened.error}`;
  const { body } = await server.ask(op.read, node, readBody(opened.body.readBigUInt64LE(0)));
  return body.toString();
}

/** What the guest's agent would keep while its machine is stopped. */
export async function pauseFor(server: LiveMountServer): Promise<Buffer> {
  server.control.write("p");
  await until("the server to pause", () => server.own.some(({ what }) => what === say.pause));
  server.send(op.paused, 0, none);
  await until("the state", () => server.own.some(({ what }) => what === say.state));
  server.send(op.stored, 0, none);
  await until("the pause", () => server.controlBytes.join("").includes("P"));
  return server.own.find(({ what }) => what === say.state)!.body;
}
