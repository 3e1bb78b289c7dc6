import { Code } from "@connectrpc/connect";
import { type Binding, bindingsOf } from "./binding.ts";
import type { Invoker } from "./invoker.ts";
import { RestError } from "./rest-error.ts";
import type { RestService } from "./rest-options.ts";
import { type Lookup, RouteTrie } from "./route-trie.ts";

/** A binding and how to call its service. */
export interface RestRoute extends Binding {
  readonly invoker: Invoker;
}

/** Where a request leads: to a route, or to the list of methods that OPTIONS asks for. */
export type RestTarget =
  | { readonly kind: "call"; readonly route: RestRoute; readonly segments: readonly string[] }
  | { readonly kind: "options"; readonly allow: string };

/** All routes of all services. Throws a BindingError or RouteConflictError on what cannot be served. */
export class RestRoutes {
  readonly #trie = new RouteTrie<RestRoute>();

  constructor(services: readonly RestService[]) {
    for (const { service, invoker } of services) {
      for (const binding of bindingsOf(service)) this.#trie.add({ ...binding, invoker });
    }
  }

  /** Finds the target of a request; throws NOT_FOUND, or 405 with `Allow`. */
  find(httpMethod: string, rawPath: string): RestTarget {
    const found = this.#trie.find(httpMethod, rawPath);
    if (found.kind === "found") return { kind: "call", route: found.route, segments: found.segments };
    if (found.kind === "not-found") throw new RestError(Code.NotFound, "ROUTE_NOT_FOUND", "There is no such path.");
    const get = httpMethod === "HEAD" || found.allowed.includes("GET") ? this.#trie.find("GET", rawPath) : found;
    if (httpMethod === "HEAD" && hasHead(get)) return { kind: "call", route: get.route, segments: get.segments };
    const allow = [...found.allowed, ...(hasHead(get) ? ["HEAD"] : []), "OPTIONS"].join(", ");
    if (httpMethod === "OPTIONS") return { kind: "options", allow };
    throw methodNotAllowed(httpMethod, allow);
  }
}

/** HEAD is GET without the body; a stream has no headers worth asking for. */
function hasHead(found: Lookup<RestRoute>): found is Extract<Lookup<RestRoute>, { kind: "found" }> {
  return found.kind === "found" && found.route.method.methodKind === "unary";
}

function methodNotAllowed(httpMethod: string, allow: string): RestError {
  const message = `This path does not take ${httpMethod}, only ${allow}.`;
  return new RestError(Code.Unimplemented, "METHOD_NOT_ALLOWED", message, { httpStatus: 405, headers: { allow } });
}
