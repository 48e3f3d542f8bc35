import { ExecError } from "../errors.ts";
import { ask, readFrames } from "../exec/conversation.ts";
import { listSessions } from "../exec/index.ts";
import { execRequest } from "../exec/requests.ts";
import { shellQuote } from "../shell-quote.ts";
import { type FileInventory, parseFiles } from "./file-inventory.ts";
import { type ProcessRecord, parseProcesses } from "./processes.ts";
import { parseEnvironment, type SessionState } from "./sessions.ts";

/** A machine with more to say than this (some million files) is not listened to. */
const MOST_BYTES = 256 * 1024 ** 2;
const SHELLS = "/run/machinen/shells";
const dial = { timeoutMs: 30_000, retryMs: 250 };

/** The agent's own program is at hand in every guest, whatever the image holds. */
const AGENT = "exec /proc/1/exe inventory";

/** Run a command and keep what it prints, byte for byte. */
async function output(socketPath: string, command: string, limit = MOST_BYTES): Promise<Buffer> {
  const socket = await ask(socketPath, execRequest(command), dial);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let complaint = "";
    readFrames(
      socket,
      {
        data(kind, bytes) {
          if (kind === "E") {
            complaint = (complaint + bytes.toString("utf8")).slice(0, 500);
            return;
          }
          length += bytes.length;
          if (length > limit) throw new ExecError("EXEC_PROTOCOL", "the guest says too much");
          chunks.push(Buffer.from(bytes));
        },
      },
      (ending) => {
        if ("error" in ending) reject(ending.error);
        else if (ending.code === 0) resolve(Buffer.concat(chunks));
        else {
          const reason = complaint.trim() || `it ended with ${ending.code}`;
          const words = `the guest could not be looked at: ${reason}`;
          reject(new ExecError("EXEC_NONZERO_EXIT", words));
        }
      },
    );
  });
}

export async function lookAtFiles(socketPath: string): Promise<FileInventory> {
  return parseFiles(await output(socketPath, `${AGENT} files`));
}

export async function lookAtProcesses(socketPath: string): Promise<ProcessRecord[]> {
  return parseProcesses(await output(socketPath, `${AGENT} processes`));
}

/** A command line this long goes through in one piece. */
const MOST_PATHS = 2000;

/** Digests of regular files, in the order asked for; undefined for what cannot be read. */
export async function lookAtContents(
  socketPath: string,
  paths: string[],
): Promise<(string | undefined)[]> {
  const digests: (string | undefined)[] = [];
  for (let start = 0; start < paths.length; start += MOST_PATHS) {
    const some = paths.slice(start, start + MOST_PATHS);
    const list = some.map((path) => shellQuote(path)).join(" ");
    const text = await output(socketPath, `printf '%s\\0' ${list} | /proc/1/exe inventory digests`);
    const lines = text.toString("latin1").split("\n");
    digests.push(...some.map((_, i) => (/^[0-9a-f]{64}$/.test(lines[i]!) ? lines[i] : undefined)));
  }
  return digests;
}

/** The first bytes of a regular file; undefined when there is none. */
export async function lookInto(
  socketPath: string,
  path: string,
  limit: number,
): Promise<Buffer | undefined> {
  const file = shellQuote(path);
  const command = `[ -f ${file} ] && [ ! -L ${file} ] || exit 3; exec head -c ${limit} ${file}`;
  try {
    return await output(socketPath, command, limit);
  } catch (error) {
    if ((error as ExecError).code === "EXEC_NONZERO_EXIT") return undefined;
    throw error;
  }
}

/** Our shells leave what they export; of others we know what their first process was started with. */
async function lookAtSession(socketPath: string, name: string, pid: number): Promise<SessionState> {
  const file = `${SHELLS}/${pid}`;
  const evaluate = `env -i "$(readlink /proc/${pid}/exe)" -c '. "$0"; exec env -0' ${file}.env`;
  const shell = `case $(readlink /proc/${pid}/exe) in */bash) ${evaluate};; *) env -i /bin/sh -c '. "$0"; exec env -0' ${file}.env;; esac`;
  const [environment, status] = await Promise.all([
    output(socketPath, `if [ -r ${file}.env ]; then ${shell}; else cat /proc/${pid}/environ; fi`),
    output(socketPath, `cat ${file}.status 2>/dev/null || true`),
  ]);
  const code = status.toString("latin1").trim();
  return {
    name,
    environment: parseEnvironment(environment),
    ...(/^\d{1,3}$/.test(code) ? { lastStatus: Number(code) } : {}),
  };
}

export async function lookAtSessions(socketPath: string): Promise<SessionState[]> {
  const sessions = await listSessions(socketPath);
  const states = await Promise.allSettled(
    sessions.map(({ name, pid }) => lookAtSession(socketPath, name, pid)),
  );
  // A session that ended meanwhile is none.
  return states.flatMap((state) => (state.status === "fulfilled" ? [state.value] : []));
}
