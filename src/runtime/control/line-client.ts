import { connect, type Socket } from "node:net";

const MAX_LINE_BYTES = 64 * 1024;

/** Why a request got no answer: `refused` when nobody listens, `timeout`, or `lost` when the answer broke off. */
export class RequestError extends Error {
  readonly reason: "refused" | "timeout" | "lost";

  constructor(reason: "refused" | "timeout" | "lost", message: string) {
    super(message);
    this.name = "RequestError";
    this.reason = reason;
  }
}

export interface LineAnswer {
  line: string;
  /** What followed the line, as long as `payloadLength` asked for. */
  payload: Buffer;
}

/** One request line to a unix socket and its one answer line, with a payload whose length the line tells. */
export function requestLine(
  socketPath: string,
  request: string,
  timeoutMs: number,
  payloadLength: (line: string) => number = () => 0,
): Promise<LineAnswer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let line: string | undefined;
    let wanted = 0;
    let connected = false;
    const socket: Socket = connect(socketPath);
    const timer = setTimeout(
      () => fail("timeout", `no answer to ${request.split(" ")[0]} within ${timeoutMs} ms`),
      timeoutMs,
    );
    const stop = () => {
      clearTimeout(timer);
      socket.destroy();
    };
    const fail = (reason: RequestError["reason"], message: string) => {
      stop();
      reject(new RequestError(reason, message));
    };
    socket.once("connect", () => {
      connected = true;
      socket.write(`${request}\n`);
    });
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (line === undefined) {
        const end = received.indexOf(0x0a);
        if (end < 0) {
          if (received.length > MAX_LINE_BYTES) fail("lost", "the answer is too long");
          return;
        }
        line = received.toString("utf8", 0, end);
        received = received.subarray(end + 1);
        wanted = payloadLength(line);
      }
      if (received.length < wanted) return;
      stop();
      resolve({ line, payload: received.subarray(0, wanted) });
    });
    socket.once("error", (error) => fail(connected ? "lost" : "refused", error.message));
    socket.once("close", () => fail("lost", "the connection closed without an answer"));
  });
}
