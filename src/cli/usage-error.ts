/** Codes of wrong command lines. Those about flags are the runtime's, the others only exist here. */
export type UsageCode =
  | "PARSE_FLAG_UNKNOWN"
  | "PARSE_FLAG_MISSING_VALUE"
  | "PARSE_FLAG_DUPLICATE"
  | "PARSE_FLAG_MALFORMED"
  | "PARSE_PORT_INVALID"
  | "PARSE_COMMAND_UNKNOWN"
  | "PARSE_ARGUMENT_MISSING"
  | "PARSE_ARGUMENT_UNEXPECTED";

/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  readonly code: UsageCode;
  readonly nextStep: string;

  constructor(code: UsageCode, message: string, nextStep: string) {
    super(message);
    this.name = "UsageError";
    this.code = code;
    this.nextStep = nextStep;
  }
}
