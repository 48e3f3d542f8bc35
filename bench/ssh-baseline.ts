import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BootOptions, boot, type Machine } from "../src/runtime/index.ts";

/** Debian's small ssh server, and the libraries the base may lack. */
const PACKAGES = ["dropbear-bin", "libtomcrypt1", "libtommath1", "libgmp10"];
const READY_MS = 60_000;

/** A Debian guest that can be reached both ways: by its handle, and by ssh through a port forward. */
export interface SshGuest {
  vm: Machine;
  /**
   * Words of a command line before the guest's command. The connection is open already and shared, so what is
   * compared is the work, not the handshake, which takes a second under software emulation.
   */
  ssh: string[];
  stop(): Promise<void>;
}

/** Why there can be no comparison with ssh here; undefined when there can. */
export function whyNoSsh(): string | undefined {
  for (const program of ["ssh", "ssh-keygen", "apt-get"]) {
    try {
      execFileSync("sh", ["-c", `command -v ${program}`]);
    } catch {
      return `${program} is not installed`;
    }
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The packages are fetched here and pushed: what is measured needs no repository in the guest. */
async function installServer(vm: Machine, directory: string, key: string): Promise<void> {
  const packages = join(directory, "packages");
  mkdirSync(packages);
  execFileSync("apt-get", ["download", ...PACKAGES], { cwd: packages, stdio: "pipe" });
  await vm.push(packages, "/root/packages");
  await vm.exec("dpkg --force-depends -i /root/packages/*.deb && mkdir -p /etc/dropbear");
  await vm.writeFile("/root/.ssh/authorized_keys", readFileSync(`${key}.pub`), { mode: 0o600 });
  await vm.exec(
    "chmod 700 /root /root/.ssh && /usr/sbin/dropbear -R -E -s -p 22 2>/root/dropbear.log",
  );
}

/** Open the connection that all later commands share. */
async function connect(options: string[], log: () => Promise<string>): Promise<void> {
  const end = performance.now() + READY_MS;
  for (;;) {
    const child = spawn("ssh", ["-M", "-N", "-f", ...options], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const code = await new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
    if (code === 0) return;
    if (performance.now() > end) throw new Error(`no connection by ssh:\n${await log()}`);
    await sleep(500);
  }
}

export async function bootSshGuest(liveMounts: BootOptions["liveMounts"] = []): Promise<SshGuest> {
  const directory = mkdtempSync(join(tmpdir(), "machinen-ssh-"));
  const key = join(directory, "key");
  const port = await freePort();
  let vm: Machine | undefined;
  const options = [
    ...["-F", "none", "-i", key, "-p", String(port), "-o", "StrictHostKeyChecking=no"],
    ...["-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"],
    ...["-o", `ControlPath=${join(directory, "control")}`, "-o", "ControlPersist=yes"],
    "root@127.0.0.1",
  ];
  const stop = async () => {
    spawn("ssh", ["-O", "exit", ...options], { stdio: "ignore" }).on("error", () => {});
    await vm?.kill();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    execFileSync("ssh-keygen", [
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      userInfo().username,
      "-f",
      key,
    ]);
    vm = await boot({
      image: "debian",
      memory: 1024,
      cmd: [],
      timeoutMs: null,
      liveMounts,
      portForward: [{ hostPort: port, guestPort: 22 }],
    });
    await installServer(vm, directory, key);
    const { exec } = vm;
    await connect(options, async () => (await exec("cat /root/dropbear.log")).stdout);
    return { vm, ssh: ["ssh", ...options], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
