import { ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";

/** What went wrong, for a person: all violations of a request, each on its line, and the reason that programs go by. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof ConnectError)) return error instanceof Error ? error.message : String(error);
  const reason = error.findDetails(ErrorInfoSchema)[0]?.reason;
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const lines = violations.map(({ field, description }) => `  ${field}: ${description}`);
  return [reason === undefined ? error.rawMessage : `${error.rawMessage} (${reason})`, ...lines].join("\n");
}
