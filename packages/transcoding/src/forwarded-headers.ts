import type { IncomingHttpHeaders } from "node:http";

/** Decides which headers pass, by name in lower case. */
export type HeaderFilter = (name: string) => boolean;

/** A filter that lets the listed headers pass; "helix-*" stands for all that begin so. */
export function allowHeaders(names: readonly string[]): HeaderFilter {
  const exact = new Set(names.map((name) => name.toLowerCase()));
  const prefixes = [...exact].filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/** The headers of a request that pass. */
export function forwardRequestHeaders(headers: IncomingHttpHeaders, allow: HeaderFilter): Headers {
  const forwarded = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || !allow(name)) continue;
    for (const each of Array.isArray(value) ? value : [value]) forwarded.append(name, each);
  }
  return forwarded;
}

/** The headers of an answer that pass. */
export function forwardResponseHeaders(headers: Headers, allow: HeaderFilter): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => allow(name)));
}
