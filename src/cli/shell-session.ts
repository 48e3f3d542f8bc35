import type { Host } from "../runtime/host/host.ts";

const answerTimeoutMs = 60_000;
/** A shell echoes little more than what it is asked; an endless line must not fill our memory. */
const keptCharacters = 64 * 1024;

/** A live shell of a machine, driven by typing. */
export interface ShellSession {
  type(line: string): void;
  /** What the shell expands `expression` to. */
  ask(expression: string): Promise<string>;
  close(): void;
}

/** Opens the machine's main session, the one panes show. */
export async function openShell(host: Host, id: string): Promise<ShellSession> {
  const session = await host.openSession(id, { cols: 120, rows: 30 });
  let seen = "";
  let questions = 0;
  let onOutput: () => void = () => {};
  session.stdout.on("data", (chunk: Buffer) => {
    seen = (seen + chunk.toString("latin1")).slice(-keptCharacters);
    onOutput();
  });
  const ended = session.wait().then(
    ({ code }) => new Error(`the shell ended with ${code}`),
    (error: Error) => error,
  );
  const type = (line: string): void => void session.stdin.write(`${line}\n`);

  function ask(expression: string): Promise<string> {
    // The terminal echoes the question too: only the answer has the number before the bracket.
    const tag = `answer${++questions}`;
    const pattern = new RegExp(`${tag}=\\[([^\\]]*)\\]`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the shell did not answer in ${answerTimeoutMs / 1000} s`)),
        answerTimeoutMs,
      );
      void ended.then((error) => {
        clearTimeout(timer);
        reject(error);
      });
      onOutput = () => {
        const answer = pattern.exec(seen)?.[1];
        if (answer === undefined) return;
        clearTimeout(timer);
        resolve(answer);
      };
      type(`printf '%s=[%s]\\n' ${tag} "${expression}"`);
    });
  }
  return { type, ask, close: () => session.close() };
}
