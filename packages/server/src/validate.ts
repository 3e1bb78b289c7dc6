import { create, type DescMessage, type DescService, type Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import type { Validator, Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { Refusal, type Violation as Named } from "@helix-zed/domain";
import { withMessages } from "./oversee-stream.ts";
import type { ServerReason } from "./server-reasons.ts";
import { unstorableText } from "./unstorable-text.ts";

/** Compiles the rules of every request of these services, to be done at start-up: the first of all costs some 70 ms. */
export function compileRules(validator: Validator, services: Iterable<DescService>): void {
  for (const service of services) {
    for (const { input } of service.methods) {
      const result = validator.validate(input, create(input));
      if (result.kind === "error") throw result.error;
    }
  }
}

/** What a service finds wrong with a request beyond the rules in its proto; asked only about one that breaks these. */
export type FurtherChecks = (schema: DescMessage, request: Message) => readonly Named[];

/**
 * Checks every request against the rules in its proto and for text that cannot be stored, and refuses with all that is
 * wrong with it at once.
 */
export function validateRequests(validator: Validator, furtherChecks: FurtherChecks = () => []): Interceptor {
  const check = (schema: DescMessage, message: Message): void => {
    const result = validator.validate(schema, message);
    if (result.kind === "error") throw result.error;
    const byRules = (result.violations ?? []).map(inPlainWords);
    const byText = unstorableText(schema, message);
    if (byRules.length === 0 && byText.length === 0) return;
    throw invalidRequest([byRules, byText, furtherChecks(schema, message)]);
  };
  return (next) => (request) => {
    if (!request.stream) check(request.method.input, request.message);
    else if (request.method.methodKind === "server_streaming") {
      return next(withMessages(request, checkEach(check, request.method.input, request.message)));
    }
    return next(request);
  };
}

async function* checkEach<T extends Message>(
  check: (schema: DescMessage, message: Message) => void,
  schema: DescMessage,
  messages: AsyncIterable<T>,
): AsyncIterable<T> {
  for await (const message of messages) {
    check(schema, message);
    yield message;
  }
}

function invalidRequest(looks: readonly (readonly Named[])[]): Refusal<ServerReason> {
  // A field that one look finds wrong may be found wrong by the next for the same cause.
  const violations = looks.reduce<readonly Named[]>(
    (known, found) => [...known, ...found.filter(({ field }) => known.every((other) => other.field !== field))],
    [],
  );
  const listed = violations.map(({ field, description }) => (field === "" ? description : `${field}: ${description}`));
  return new Refusal("INVALID_REQUEST", listed.join("; "), {}, { violations });
}

function inPlainWords({ field, message }: Violation): Named {
  return { field: pathToString(field), description: plainWords.get(message) ?? message };
}

// How the validator says "required" of a string and of an enum.
const plainWords: ReadonlyMap<string, string> = new Map([
  ["must be at least 1 characters", "must not be empty"],
  ["must not be in list [0]", "must be given"],
]);
