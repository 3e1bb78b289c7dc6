import { Code, ConnectError } from "@connectrpc/connect";

/** The code of a failed call, whether the transport lets Connect's error through or puts one of its own in its place. */
export function errorCode(error: unknown): Code {
  if (error instanceof Error && "code" in error && isCode(error.code)) return error.code;
  return ConnectError.from(error).code;
}

function isCode(value: unknown): value is Code {
  return typeof value === "number" && Code[value] !== undefined;
}
