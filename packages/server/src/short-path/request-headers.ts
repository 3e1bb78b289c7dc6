import type { IncomingHttpHeaders } from "node:http";
import type { Exchange } from "./exchange.ts";

/**
 * The headers of a request. Looking up a few of them, as every call does, is a look into what Node has; real `Headers` are
 * made when somebody does anything else.
 */
export class RequestHeaders implements Headers {
  readonly #exchange: Pick<Exchange, "headers">;
  #copy: Headers | undefined;

  constructor(exchange: Pick<Exchange, "headers">) {
    this.#exchange = exchange;
  }

  get(name: string): string | null {
    if (this.#copy !== undefined) return this.#copy.get(name);
    const value = this.#exchange.headers[name.toLowerCase()];
    if (value === undefined || name.startsWith(":")) return null;
    return typeof value === "string" ? value.trim() : this.#own.get(name);
  }

  has(name: string): boolean {
    return this.#own.has(name);
  }

  set(name: string, value: string): void {
    this.#own.set(name, value);
  }

  append(name: string, value: string): void {
    this.#own.append(name, value);
  }

  delete(name: string): void {
    this.#own.delete(name);
  }

  getSetCookie(): string[] {
    return this.#own.getSetCookie();
  }

  forEach(visit: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    this.#own.forEach((value, name) => visit.call(self, value, name, this));
  }

  entries(): ReturnType<Headers["entries"]> {
    return this.#own.entries();
  }

  keys(): ReturnType<Headers["keys"]> {
    return this.#own.keys();
  }

  values(): ReturnType<Headers["values"]> {
    return this.#own.values();
  }

  [Symbol.iterator](): ReturnType<Headers["entries"]> {
    return this.#own.entries();
  }

  get #own(): Headers {
    return (this.#copy ??= headersOf(this.#exchange.headers));
  }
}

function headersOf(source: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(source)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const each of [value].flat()) headers.append(name, each);
  }
  return headers;
}
