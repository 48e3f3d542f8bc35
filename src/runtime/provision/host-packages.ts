import { existsSync, readdirSync, readFileSync } from "node:fs";
import { runCommand } from "../assets/run-command.ts";
import type { VmHandle } from "../machine/index.ts";
import {
  type AptSettings,
  isOnLoopback,
  parseAptSettings,
  SOURCE_FORMAT,
  sourcesFor,
} from "./apt-settings.ts";

/** A tmpfs in the guest: nothing below it gets into the image. */
const PLACE = "/run/machinen-build";
const APT_CONFIG = `${PLACE}/apt.conf`;
const CERTIFICATES = `${PLACE}/ca-certificates.crt`;

/** A build has nobody to answer questions, and finds apt's settings in a place of ours. */
export const BUILD_ENV = { DEBIAN_FRONTEND: "noninteractive", APT_CONFIG };

const PROXIES = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy"];
/** Variables by which programs are told of certificates; each takes a file with all of them. */
const CERTIFICATE_VARIABLES = [
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
  "REQUESTS_CA_BUNDLE",
];
const BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
const LOCAL_CERTIFICATES = "/usr/local/share/ca-certificates";

/** What this host needs to reach package archives. */
export interface HostPackages {
  /** Environment of the build: proxies, and where the certificates are. */
  env: Record<string, string>;
  /** The host's certificates, when it has some of its own. */
  certificates?: string;
  apt: AptSettings;
  /** What a machine cannot use of it, in words for a user. */
  problems: string[];
}

/** The host's proxy variables, both spellings, without those that lead to the host's loopback. */
export function proxyEnv(env: NodeJS.ProcessEnv): {
  env: Record<string, string>;
  problems: string[];
} {
  const found: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of PROXIES.flatMap((proxy) => [proxy, proxy.toUpperCase()])) {
    const value = env[name];
    if (!value) continue;
    if (!isOnLoopback(value)) found[name] = value;
    else {
      problems.push(
        `${name} leads to this host's loopback, which machines cannot reach: let the proxy listen on another address`,
      );
    }
  }
  if (Object.keys(found).length > 0) {
    for (const name of ["no_proxy", "NO_PROXY"]) if (env[name]) found[name] = env[name];
  }
  return { env: found, problems };
}

function hasOwnCertificates(env: NodeJS.ProcessEnv): boolean {
  if (CERTIFICATE_VARIABLES.some((name) => env[name])) return true;
  try {
    return readdirSync(LOCAL_CERTIFICATES).some((name) => name.endsWith(".crt"));
  } catch {
    return false;
  }
}

/** The file with all certificates this host trusts, when it trusts more than a distribution does. */
function ownCertificates(env: NodeJS.ProcessEnv): string | undefined {
  if (!hasOwnCertificates(env)) return undefined;
  const named = CERTIFICATE_VARIABLES.flatMap((name) => env[name] ?? []);
  const bundle = [...named, ...BUNDLES].find((path) => existsSync(path));
  return bundle === undefined ? undefined : readFileSync(bundle, "utf8");
}

async function readApt(): Promise<AptSettings> {
  const ask = (program: string, args: string[]) => runCommand(program, args).catch(() => "");
  const [dump, targets] = await Promise.all([
    ask("apt-config", ["dump"]),
    ask("apt-get", [
      ...["indextargets", "--format", SOURCE_FORMAT],
      ...["Created-By: Packages", "Origin: Debian"],
    ]),
  ]);
  return parseAptSettings(dump, targets);
}

/** Read the host's settings. A host without apt has none. */
export async function hostPackages(env: NodeJS.ProcessEnv = process.env): Promise<HostPackages> {
  const apt = await readApt();
  const proxies = proxyEnv(env);
  const certificates = ownCertificates(env);
  const trust = certificates
    ? Object.fromEntries(CERTIFICATE_VARIABLES.map((name) => [name, CERTIFICATES]))
    : {};
  return {
    env: { ...proxies.env, ...trust },
    certificates,
    apt,
    problems: [...apt.problems, ...proxies.problems],
  };
}

/** The guest's Debian release, or "" when it is something else. */
async function debianCodename(vm: VmHandle): Promise<string> {
  const command = '. /etc/os-release 2>/dev/null && [ "$ID" = debian ] && echo "$VERSION_CODENAME"';
  return (await vm.execRaw(command)).stdout.trim();
}

/** Contents of the build's apt.conf. The image's own settings are read after it, and win. Pure. */
export function aptConf(packages: HostPackages, hasSources: boolean): string {
  return [
    ...packages.apt.options,
    ...(packages.certificates ? [`Acquire::https::CaInfo "${CERTIFICATES}";`] : []),
    ...(hasSources
      ? [`Dir::Etc::sourcelist "${PLACE}/sources.list";`, 'Dir::Etc::sourceparts "/dev/null";']
      : []),
    "",
  ].join("\n");
}

/** Put the settings where the build's environment points at. A guest that cannot take them goes without. */
export async function shareHostPackages(
  vm: VmHandle,
  packages: HostPackages,
  onProblem: (message: string) => void,
): Promise<void> {
  try {
    const sources = sourcesFor(await debianCodename(vm), packages.apt.sources);
    const write = (path: string, content: string) => vm.writeFile(path, content, { mode: 0o644 });
    await write(APT_CONFIG, aptConf(packages, sources.length > 0));
    if (packages.certificates) await write(CERTIFICATES, packages.certificates);
    if (sources.length > 0) await write(`${PLACE}/sources.list`, sources.join(""));
  } catch (error) {
    onProblem(
      `the machine could not be given this host's package settings: ${(error as Error).message}`,
    );
  }
}
