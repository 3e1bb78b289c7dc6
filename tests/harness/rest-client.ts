// A caller that knows nothing but HTTP and JSON, as a script with curl does.

/** An answer, its body as parsed JSON. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** Any JSON object; its members are looked into by tests only. */
export type Json = { readonly [name: string]: any }; // oxlint-disable-line typescript/no-explicit-any -- tests look into answers

/** One server-sent event. */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Json;
}

/** Calls the gateway's REST paths as one token holder. */
export class RestClient {
  readonly #url: string;
  readonly #token: string | undefined;

  constructor(url: string, token?: string) {
    this.#url = url;
    this.#token = token;
  }

  get(path: string): Promise<RestAnswer> {
    return this.send("GET", path);
  }

  post(path: string, body: unknown = {}): Promise<RestAnswer> {
    return this.send("POST", path, JSON.stringify(body));
  }

  put(path: string, body: unknown): Promise<RestAnswer> {
    return this.send("PUT", path, JSON.stringify(body));
  }

  delete(path: string): Promise<RestAnswer> {
    return this.send("DELETE", path);
  }

  /** Sends exactly this body. */
  async send(method: string, path: string, body?: string): Promise<RestAnswer> {
    const headers = { ...this.#headers(), ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const response = await fetch(this.#url + path, { method, headers, body: body ?? null });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? {} : parse(text) };
  }

  /** Reads server-sent events until the server ends the stream or the signal aborts. */
  async *watch(path: string, { lastEventId = "", signal }: WatchOptions = {}): AsyncGenerator<ServerSentEvent, void> {
    const headers = { ...this.#headers(), accept: "text/event-stream", "last-event-id": lastEventId };
    const response = await fetch(this.#url + path, { headers, signal: signal ?? null });
    if (response.body === null || !response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    let rest = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + piece).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) if (/^data:/m.test(block)) yield readEvent(block);
    }
  }

  #headers(): Record<string, string> {
    return this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
  }
}

/** Where a watch begins and what ends it. */
export interface WatchOptions {
  readonly lastEventId?: string;
  readonly signal?: AbortSignal;
}

function readEvent(block: string): ServerSentEvent {
  const field = (name: string): string =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""))
      .join("\n");
  return { id: field("id"), event: field("event"), data: parse(field("data")) };
}

function parse(text: string): Json {
  const value: Json = JSON.parse(text);
  return value;
}
