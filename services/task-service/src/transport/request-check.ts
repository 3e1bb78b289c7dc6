// What the rules in the proto cannot say
//
// Rules there check each field by itself. Here is what needs configuration (agent types) or measures a whole object
// (free-form settings). All that is wrong with a request is told at once.

import { Refusal, type Violation } from "@helix-zed/domain";
import type { ServerReason } from "@helix-zed/server";
import { type Condition, conditionOf, type FilterLimits } from "../domain/filter/filter-condition.ts";
import { FilterError } from "../domain/filter/filter-error.ts";
import type { Fields } from "../domain/filter/filter-fields.ts";
import { orderOf, type OrderTerm } from "../domain/filter/order-of.ts";
import type { Reason } from "../domain/reason.ts";
import type { Limits } from "../domain/limits.ts";
import type { Json } from "../domain/task.ts";

/** What a request is checked against. */
export interface RequestRules {
  readonly limits: FilterLimits & Pick<Limits, "configBytesMax" | "configKeysMax" | "configDepthMax" | "orderCharsMax">;
  readonly agentTypes: readonly string[];
}

/** Collects what is wrong with one request. */
export class RequestCheck {
  readonly #rules: RequestRules;
  readonly #violations: Violation[] = [];
  readonly #reasons = new Set<Reason | ServerReason>();
  readonly #metadata: Record<string, string> = {};

  constructor(rules: RequestRules) {
    this.#rules = rules;
  }

  /** Notes something wrong with a field. */
  add(field: string, description: string, reason: Reason | ServerReason = "INVALID_REQUEST"): void {
    this.#violations.push({ field, description });
    this.#reasons.add(reason);
  }

  /** The kind of agent, which must be one of the configured ones. */
  agentType(field: string, value: string): string {
    const { agentTypes } = this.#rules;
    if (!agentTypes.includes(value)) {
      this.#metadata["allowed"] = agentTypes.join(",");
      this.add(field, `must be one of ${agentTypes.join(", ")}`, "AGENT_TYPE_UNKNOWN");
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
    const { configBytesMax, configKeysMax, configDepthMax } = this.#rules.limits;
    if (depthOf(value, configDepthMax) > configDepthMax) {
      this.add(field, `must not be nested deeper than ${configDepthMax} levels`);
    } else if (keysOf(value) > configKeysMax) {
      this.add(field, `must have at most ${configKeysMax} keys in all`);
    } else if (Buffer.byteLength(JSON.stringify(value)) > configBytesMax) {
      this.add(field, `must be at most ${configBytesMax} bytes as JSON`);
    }
    return value;
  }

  /** What of a list or a watch is asked for; `null` for all of it. */
  filter(text: string, fields: Fields): Condition | null {
    return this.#read("filter", "FILTER_INVALID", () => conditionOf(text, fields, this.#rules.limits)) ?? null;
  }

  /** How a list is to be sorted. */
  orderBy(text: string, fields: Fields): readonly OrderTerm[] {
    return this.#read("order_by", "ORDER_BY_INVALID", () => orderOf(text, fields, this.#rules.limits)) ?? [];
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
    const [first] = this.#reasons;
    const reason = this.#reasons.size === 1 && first !== undefined ? first : "INVALID_REQUEST";
    throw new Refusal(reason, listed.join("; "), this.#metadata, { violations: this.#violations });
  }

  #read<T>(field: string, reason: Reason, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.#metadata["position"] = String(error.at);
      this.add(field, error.message, reason);
      return undefined;
    }
  }
}

/** How many keys the objects in a value have together. */
function keysOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Object.values(value).reduce((sum: number, member) => sum + keysOf(member), 0);
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

/** How deep a value is nested; stops counting just beyond the limit. */
function depthOf(value: unknown, limit: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (limit < 0) return 1;
  return 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner, limit - 1)));
}
