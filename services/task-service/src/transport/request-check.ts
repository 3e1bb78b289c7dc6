// What the rules in the proto cannot say
//
// Rules there check each field by itself. Here is what needs configuration (agent types), measures a whole object
// (free-form settings), or protects the database (text that it cannot hold). All that is wrong with a request is told at
// once.

import type { Violation } from "@helix-zed/domain";
import { type Reason, refuse } from "../domain/reason.ts";
import type { Limits } from "../domain/limits.ts";
import type { Json } from "../domain/task.ts";

/** What a request is checked against. */
export interface RequestRules {
  readonly limits: Pick<Limits, "configBytesMax" | "configDepthMax">;
  readonly agentTypes: readonly string[];
}

/** Collects what is wrong with one request. */
export class RequestCheck {
  readonly #rules: RequestRules;
  readonly #violations: Violation[] = [];
  #reason: Reason = "REQUEST_INVALID";

  /** Begins with what holds for every request: all of its text can be stored. */
  constructor(rules: RequestRules, request: object) {
    this.#rules = rules;
    for (const field of unstorableFields(request, "")) {
      this.add(field, "must not contain NUL characters or lone surrogates");
    }
  }

  /** Notes something wrong with a field. */
  add(field: string, description: string): void {
    this.#violations.push({ field, description });
  }

  /** The kind of agent, which must be one of the configured ones. */
  agentType(field: string, value: string): string {
    const { agentTypes } = this.#rules;
    if (!agentTypes.includes(value)) {
      this.#reason = "AGENT_TYPE_UNKNOWN";
      this.add(field, `must be one of ${agentTypes.join(", ")}`);
    }
    return value;
  }

  /** A folder on some host: absolute, and without a way up. Empty is none. */
  path(field: string, value: string): string {
    if (value !== "" && (!value.startsWith("/") || value.split("/").includes(".."))) {
      this.add(field, "must be an absolute path without ..");
    }
    return value;
  }

  /** Free-form settings. */
  config(field: string, value: Json | undefined): Json | null {
    if (value === undefined) return null;
    const { configBytesMax, configDepthMax } = this.#rules.limits;
    if (depthOf(value, configDepthMax) > configDepthMax) {
      this.add(field, `must not be nested deeper than ${configDepthMax} levels`);
    } else if (Buffer.byteLength(JSON.stringify(value)) > configBytesMax) {
      this.add(field, `must be at most ${configBytesMax} bytes as JSON`);
    }
    return value;
  }

  /** The version that an etag stands for; an empty one for none. */
  etag(value: string): { readonly expectedVersion?: number } {
    if (value === "") return {};
    const digits = /^"(\d{1,9})"$/.exec(value)?.[1];
    if (digits === undefined) this.add("etag", "is not one that was given out");
    return { expectedVersion: Number(digits) };
  }

  /** Refuses the request if anything is wrong with it. */
  done(): void {
    if (this.#violations.length === 0) return;
    const listed = this.#violations.map(({ field, description }) => `${field}: ${description}`);
    const metadata = this.#reason === "AGENT_TYPE_UNKNOWN" ? { allowed: this.#rules.agentTypes.join(",") } : {};
    throw refuse(this.#reason, listed.join("; "), metadata, { violations: this.#violations });
  }
}

/** Fields with text that PostgreSQL cannot hold, in the spelling of the proto. */
function unstorableFields(value: unknown, field: string): string[] {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed() ? [field] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => unstorableFields(item, `${field}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name.startsWith("$")) return [];
    const path = field === "" ? snakeCase(name) : `${field}.${snakeCase(name)}`;
    return [...unstorableFields(name, path), ...unstorableFields(inner, path)];
  });
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** How deep a value is nested; stops counting just beyond the limit. */
function depthOf(value: unknown, limit: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (limit < 0) return 1;
  return 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner, limit - 1)));
}
