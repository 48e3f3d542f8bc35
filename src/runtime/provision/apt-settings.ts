/** One line of `apt-config dump`. */
interface Option {
  name: string;
  value: string;
}

/** A source of packages, as `apt-get indextargets` tells of it. */
export interface Source {
  uri: string;
  release: string;
  component: string;
  codename: string;
}

/** What of a host's apt settings means something in a guest. */
export interface AptSettings {
  /** Lines of an apt.conf. */
  options: string[];
  sources: Source[];
  problems: string[];
}

/** Format for `apt-get indextargets`, which `parseAptSettings` reads. */
export const SOURCE_FORMAT = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(CODENAME)";

/** How packages are fetched and what is required of them; the rest is about the host itself. */
const FETCHING =
  /^Acquire::(https?|ftp|Retries|Queue-Mode|By-Hash|EnableSrvRecords|Force\w+|Check-[\w-]+|M(ax|in)-[\w-]+|Allow\w+)(::|$)/;
/** Values that name a file or a program of the host. */
const HOST_FILES = /::(Ca(Info|Path)|SslCert|SslKey|CrlFile|Proxy-?Auto-?Detect)$/i;
/** Credentials of the host's own: a guest is not to have them. */
const HOST_SECRETS = /::(SslCert|SslKey)$/i;

/** Whether a URL leads to this very host: a guest has a loopback of its own. */
export function isOnLoopback(url: string): boolean {
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^/@]*@)?(\[[^\]]*\]|[^/:]*)/i.exec(url)?.[1] ?? "";
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/i.test(host);
}

function parseOption(line: string): Option | undefined {
  const match = /^(\S+) "(.*)";$/.exec(line);
  return match?.[2] ? { name: match[1]!, value: match[2] } : undefined;
}

function isUsable({ name, value }: Option, problems: string[]): boolean {
  if (!FETCHING.test(name)) return false;
  if (HOST_SECRETS.test(name)) problems.push(`apt's ${name} is not given to the machine`);
  if (HOST_FILES.test(name)) return false;
  if (!/::Proxy(::|$)/i.test(name) || !isOnLoopback(value)) return true;
  problems.push(
    `apt's proxy ${value} is on this host's loopback, which machines cannot reach: let it listen on another address`,
  );
  return false;
}

function parseSource(line: string, problems: string[]): Source | undefined {
  const [uri, release, component, codename] = line.trim().split("|");
  if (!uri || !release || !component || !codename) return undefined;
  if (/^(https?|ftp):/.test(uri) && !isOnLoopback(uri)) {
    return { uri, release, component, codename };
  }
  problems.push(`apt's source ${uri} is on this host itself, which machines cannot reach`);
  return undefined;
}

/** Read what `apt-config dump` and `apt-get indextargets` (with `SOURCE_FORMAT`) print. Pure. */
export function parseAptSettings(dump: string, targets: string): AptSettings {
  const problems: string[] = [];
  const options = dump
    .split("\n")
    .flatMap((line) => parseOption(line) ?? [])
    .filter((option) => isUsable(option, problems))
    .map(({ name, value }) => `${name} "${value}";`);
  const sources = targets.split("\n").flatMap((line) => parseSource(line, problems) ?? []);
  return { options, sources, problems: [...new Set(problems)] };
}

/** The host's sources for a guest of this Debian release, as one-line entries; none when it is of another. Pure. */
export function sourcesFor(codename: string, sources: readonly Source[]): string[] {
  const fitting = sources.filter(
    (source) => source.codename === codename || source.codename.startsWith(`${codename}-`),
  );
  if (!fitting.some((source) => source.codename === codename)) return [];
  const lines = fitting.map(
    ({ uri, release, component }) => `deb ${uri} ${release} ${component}\n`,
  );
  return [...new Set(lines)];
}
