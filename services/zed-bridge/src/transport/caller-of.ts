import type { HandlerContext } from "@connectrpc/connect";
import { type Actor, Refusal } from "@helix-zed/domain";
import { actorOf, type ServerReason } from "@helix-zed/server";

/** Who asks. Refuses a request with text that PostgreSQL cannot hold, which the rules in the proto let pass. */
export function callerOf(context: Pick<HandlerContext, "values">, request: object): Actor {
  const violations = unstorableFields(request, "").map((field) => ({
    field,
    description: "must not contain NUL characters or lone surrogates",
  }));
  if (violations.length === 0) return actorOf(context);
  const listed = violations.map(({ field, description }) => `${field}: ${description}`);
  throw new Refusal<ServerReason>("INVALID_REQUEST", listed.join("; "), {}, { violations });
}

function unstorableFields(value: unknown, field: string): string[] {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed() ? [field] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name.startsWith("$")) return [];
    const path = field === "" ? snakeCase(name) : `${field}.${name}`;
    return [...unstorableFields(name, path), ...unstorableFields(inner, path)];
  });
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
