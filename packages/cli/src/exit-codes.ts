import { Code, ConnectError } from "@connectrpc/connect";

/** What the exit code of a command says. Documented in docs/cli.md; never renumbered. */
export const exitCodes = {
  ok: 0,
  /** Something failed that nobody expected. */
  failed: 1,
  /** The command line, a setting or the request is wrong. */
  usage: 2,
  notFound: 3,
  /** No token, a wrong one, or not allowed. */
  denied: 4,
  /** The state forbids it, or it was changed meanwhile. */
  conflict: 5,
  /** The service is out of reach, or has too much to do. */
  unavailable: 6,
  /** What was waited for ended otherwise than completed. */
  unsuccessful: 7,
  /** What was waited for did not happen in time. */
  timeout: 8,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

const codesOfErrors: Readonly<Partial<Record<Code, number>>> = {
  [Code.InvalidArgument]: exitCodes.usage,
  [Code.OutOfRange]: exitCodes.usage,
  [Code.NotFound]: exitCodes.notFound,
  [Code.Unauthenticated]: exitCodes.denied,
  [Code.PermissionDenied]: exitCodes.denied,
  [Code.FailedPrecondition]: exitCodes.conflict,
  [Code.AlreadyExists]: exitCodes.conflict,
  [Code.Aborted]: exitCodes.conflict,
  [Code.Unavailable]: exitCodes.unavailable,
  [Code.ResourceExhausted]: exitCodes.unavailable,
  [Code.DeadlineExceeded]: exitCodes.timeout,
};

/** A failure whose words are for the person at the terminal, with the code to exit with. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** The code to exit with after this failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof ConnectError) return codesOfErrors[error.code] ?? exitCodes.failed;
  return exitCodes.failed;
}
