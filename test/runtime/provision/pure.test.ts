import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readTar } from "../../../src/runtime/images/tar-reader.ts";
import {
  isOnLoopback,
  parseAptSettings,
  sourcesFor,
} from "../../../src/runtime/provision/apt-settings.ts";
import { deadline } from "../../../src/runtime/provision/deadline.ts";
import { aptConf, proxyEnv } from "../../../src/runtime/provision/host-packages.ts";
import { tarFileMember } from "../../../src/runtime/provision/tar-file-member.ts";

describe("a build's deadline", () => {
  it("has no end when it is further away than a timer reaches", async () => {
    const limit = deadline(2 ** 31);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(limit.signal.aborted).toBe(false);
    limit.clear();
  });

  it("is over in time", async () => {
    const { signal } = deadline(1);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    expect(signal.reason).toMatchObject({ code: "PROVISION_INSTALL_HOOK_FAILED" });
  });
});

describe("isOnLoopback", () => {
  it.each([
    "http://localhost:3142",
    "http://127.0.0.1",
    "127.8.9.1:3128",
    "http://user:secret@127.0.0.1:8080/",
    "http://[::1]:3128/",
    "HTTP://LocalHost/debian",
  ])("%s is", (url) => expect(isOnLoopback(url)).toBe(true));

  it.each([
    "http://proxy.example:3128",
    "http://10.0.0.127:3128",
    "http://localhost.example/",
    "http://user:127.0.0.1@proxy.example/",
    "DIRECT",
  ])("%s is not", (url) => expect(isOnLoopback(url)).toBe(false));
});

describe("parseAptSettings", () => {
  const dump = [
    'APT::Install-Recommends "0";',
    'Acquire::http::Proxy "http://proxy.example:3128/";',
    'Acquire::http::Proxy::mirror.example "DIRECT";',
    'Acquire::https::CaInfo "/etc/own.pem";',
    'Acquire::https::mirror.example::SslKey "/etc/own.key";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::IndexTargets::deb::Packages::MetaKey "x";',
    'Acquire::Retries "3";',
    'Acquire::http "";',
    "Dir::Etc::sourcelist",
  ].join("\n");

  it("takes what is about fetching and means something elsewhere", () => {
    const { options, problems } = parseAptSettings(dump, "");
    expect(options).toEqual([
      'Acquire::http::Proxy "http://proxy.example:3128/";',
      'Acquire::http::Proxy::mirror.example "DIRECT";',
      'Acquire::Check-Valid-Until "false";',
      'Acquire::Retries "3";',
    ]);
    expect(problems).toEqual([
      "apt's Acquire::https::mirror.example::SslKey is not given to the machine",
    ]);
  });

  it("leaves out and names what a machine cannot reach", () => {
    const { options, sources, problems } = parseAptSettings(
      'Acquire::http::Proxy "http://127.0.0.1:3142";',
      "http://localhost/debian/|bookworm|main|bookworm\nfile:/srv/debian/|bookworm|main|bookworm\n",
    );
    expect([options, sources]).toEqual([[], []]);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toMatch(/proxy http:\/\/127\.0\.0\.1:3142.*loopback/);
    expect(problems[2]).toContain("file:/srv/debian/");
  });

  it("gives sources to guests of the same release only", () => {
    const line = (release: string) => `http://mirror.example/debian/|${release}|main|${release}`;
    const targets = ["bookworm", "bookworm", "bookworm-updates", "trixie"].map(line).join("\n");
    const { sources } = parseAptSettings("", `${targets}\n\njunk\n`);
    expect(sourcesFor("bookworm", sources)).toEqual([
      "deb http://mirror.example/debian/ bookworm main\n",
      "deb http://mirror.example/debian/ bookworm-updates main\n",
    ]);
    expect(sourcesFor("bullseye", sources)).toEqual([]);
    expect(sourcesFor("", sources)).toEqual([]);
  });
});

describe("the build's settings", () => {
  it("carry proxies in both spellings, but none on the loopback", () => {
    const { env, problems } = proxyEnv({
      http_proxy: "http://proxy.example:1",
      HTTPS_PROXY: "http://127.0.0.1:2",
      no_proxy: "example",
      PATH: "/bin",
    });
    expect(env).toEqual({ http_proxy: "http://proxy.example:1", no_proxy: "example" });
    expect(problems).toEqual([expect.stringMatching(/^HTTPS_PROXY leads to this host's loopback/)]);
    expect(proxyEnv({ no_proxy: "example" }).env).toEqual({});
  });

  it("name certificates and sources only when they are given", () => {
    const apt = { options: ['Acquire::Retries "3";'], sources: [], problems: [] };
    const bare = aptConf({ env: {}, apt, problems: [] }, false);
    expect(bare).toContain('Acquire::Retries "3";\n');
    expect(bare).not.toMatch(/CaInfo|sourcelist/);
    const full = aptConf({ env: {}, apt, problems: [], certificates: "x" }, true);
    expect(full).toMatch(/CaInfo "\/run\/.*\n.*sourcelist "\/run\//);
  });
});

describe("tarFileMember", () => {
  it.each(["", "x", "y".repeat(512), "ü".repeat(700)])("is a member tar can read (%#)", (text) => {
    const archive = Buffer.concat([tarFileMember("./a/file", text, 1.7), Buffer.alloc(1024)]);
    const [member] = [...readTar(archive)];
    expect(member).toMatchObject({ path: "./a/file", mode: 0o644, uid: 0, gid: 0, mtime: 1 });
    expect(member!.data.toString()).toBe(text);
    expect(execFileSync("tar", ["-xO", "./a/file"], { input: archive }).toString()).toBe(text);
  });
});
