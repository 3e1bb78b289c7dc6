import type { PathTemplate } from "./path-template.ts";
import { percentDecode } from "./percent-decode.ts";

/**
 * The router: finds the route of a method and a raw, still encoded path.
 *
 * Routes stand in a trie with one edge per template segment. Where several fit, a literal wins over `*`, and `*` over
 * `**`, segment by segment from the left, with backtracking: a literal that leads nowhere does not hide a `*` that leads
 * somewhere. A route that fits the path but not the method does not end the search either: GET /books/{id} answers
 * GET /books/search although POST /books/search exists. Which methods would have been served is remembered for `Allow`.
 *
 * A verb is cut off at the last ":" when some template that fits the path has that verb; otherwise the colon belongs to
 * the segment, so that ids may hold colons. An empty segment matches nothing, so neither does a trailing slash.
 */
export interface Route {
  /** An HTTP method in capitals, or "*" for any method that has no route of its own. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
}

/** What a lookup found: a route with the raw segments of the path, or the methods that the path would have served. */
export type Lookup<R extends Route> =
  | { readonly kind: "found"; readonly route: R; readonly segments: readonly string[] }
  | { readonly kind: "wrong-method"; readonly allowed: readonly string[] }
  | { readonly kind: "not-found" };

/** Two routes that would answer the same requests. */
export class RouteConflictError extends Error {
  constructor(added: Route, existing: Route) {
    super(
      `${added.httpMethod} "${added.template.source}" answers the same requests as ` +
        `${existing.httpMethod} "${existing.template.source}"`,
    );
    this.name = "RouteConflictError";
  }
}

interface TrieNode<R> {
  readonly literals: Map<string, TrieNode<R>>;
  one: TrieNode<R> | undefined;
  rest: TrieNode<R> | undefined;
  /** By verb ("" for none), then by HTTP method. */
  readonly routes: Map<string, Map<string, R>>;
}

/** Routes by path template; `add` refuses conflicts, `find` never throws. */
export class RouteTrie<R extends Route> {
  readonly #root: TrieNode<R> = createNode();

  /** Adds a route; throws RouteConflictError if another one would answer the same requests. */
  add(route: R): void {
    let node = this.#root;
    for (const segment of route.template.segments) {
      if (segment.kind === "one") node = node.one ??= createNode();
      else if (segment.kind === "rest") node = node.rest ??= createNode();
      else node = getOrAdd(node.literals, segment.text, createNode<R>);
    }
    const byMethod = getOrAdd(node.routes, route.template.verb ?? "", () => new Map<string, R>());
    const existing = byMethod.get(route.httpMethod);
    if (existing !== undefined) throw new RouteConflictError(route, existing);
    byMethod.set(route.httpMethod, route);
  }

  /** Finds the route for an HTTP method and a raw path (starting with "/", without the query). */
  find(httpMethod: string, rawPath: string): Lookup<R> {
    if (!rawPath.startsWith("/") || rawPath.endsWith(":")) return { kind: "not-found" };
    const segments = rawPath.slice(1).split("/");
    const last = segments.at(-1) ?? "";
    const colon = last.lastIndexOf(":");
    const verb = colon < 0 ? undefined : percentDecode(last.slice(colon + 1));
    const withVerb =
      verb === undefined ? undefined : this.#search(httpMethod, [...segments.slice(0, -1), last.slice(0, colon)], verb);
    return withVerb ?? this.#search(httpMethod, segments, "") ?? { kind: "not-found" };
  }

  #search(httpMethod: string, segments: readonly string[], verb: string): Lookup<R> | undefined {
    const allowed = new Set<string>();
    const route = firstMatch(this.#root, segments, 0, (node) => {
      const byMethod = node.routes.get(verb);
      for (const method of byMethod?.keys() ?? []) allowed.add(method);
      return byMethod?.get(httpMethod) ?? byMethod?.get("*");
    });
    if (route !== undefined) return { kind: "found", route, segments };
    return allowed.size === 0 ? undefined : { kind: "wrong-method", allowed: [...allowed] };
  }
}

/** Visits every node whose template fits the segments, best first, until `accept` returns a route. */
function firstMatch<R>(
  node: TrieNode<R>,
  segments: readonly string[],
  index: number,
  accept: (node: TrieNode<R>) => R | undefined,
): R | undefined {
  const segment = segments[index];
  if (segment === undefined) return accept(node) ?? (node.rest && accept(node.rest));
  const child = literalChild(node, segment);
  return (
    (child && firstMatch(child, segments, index + 1, accept)) ??
    (node.one && segment !== "" ? firstMatch(node.one, segments, index + 1, accept) : undefined) ??
    (node.rest && !segments.includes("", index) ? accept(node.rest) : undefined)
  );
}

function literalChild<R>(node: TrieNode<R>, segment: string): TrieNode<R> | undefined {
  const text = percentDecode(segment);
  return text === undefined ? undefined : node.literals.get(text);
}

function createNode<R>(): TrieNode<R> {
  return { literals: new Map(), one: undefined, rest: undefined, routes: new Map() };
}

function getOrAdd<V>(map: Map<string, V>, key: string, make: () => V): V {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const made = make();
  map.set(key, made);
  return made;
}
