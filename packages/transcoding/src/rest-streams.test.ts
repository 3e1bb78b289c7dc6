import { once } from "node:events";
import * as http2 from "node:http2";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { afterEach, describe, expect, test } from "vitest";
import { Genre, type WatchBooksResponseSchema } from "../test/gen/bookstore/v1/bookstore_pb.ts";
import { type Bookstore, restHandlerFor, serveHttp1, serveHttp2, type TestServer } from "../test/rest-server.ts";
import type { RestOptions } from "./rest-options.ts";

const servers: TestServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

type Options = Omit<RestOptions, "services">;

const streams = { idField: "resume_token", resumeField: "resume_token" };

async function serve(bookstore: Bookstore, options: Options = {}): Promise<string> {
  const server = await serveHttp1(restHandlerFor(bookstore, { streams, ...options }));
  servers.push(server);
  return server.origin;
}

/** The body of a response as it arrives, until it holds the text. */
async function readUntil(response: Response, text: string): Promise<string> {
  let body = "";
  if (response.body === null) throw new Error("no body");
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    body += chunk;
    if (body.includes(text)) break;
  }
  return body;
}

async function aborted({ signal }: HandlerContext): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

const bookEvents: MessageInitShape<typeof WatchBooksResponseSchema>[] = [
  { resumeToken: "t1", event: { case: "changed", value: { title: "One", genre: Genre.POETRY } } },
  { resumeToken: "t2", event: { case: "deleted", value: "b1" } },
  { resumeToken: "t3", event: { case: "snapshotComplete", value: {} } },
];

const threeBooks: Bookstore = {
  async *watchBooks() {
    yield* bookEvents;
  },
};

const events = [
  'id: t1\nevent: changed\ndata: {"resume_token":"t1","changed":{"name":"","title":"One","genre":"poetry","etag":""}}\n\n',
  'id: t2\nevent: deleted\ndata: {"resume_token":"t2","deleted":"b1"}\n\n',
  'id: t3\nevent: snapshot_complete\ndata: {"resume_token":"t3","snapshot_complete":{}}\n\n',
  "event: end\ndata: {}\n\n",
];

describe("a stream", () => {
  test("is server-sent events unless asked otherwise", async () => {
    const response = await fetch(`${await serve(threeBooks)}/v1/books:watch`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    expect(await response.text()).toBe(events.join(""));
  });

  test("is one JSON value a line when asked for that", async () => {
    const headers = { accept: "application/x-ndjson" };
    const response = await fetch(`${await serve(threeBooks)}/v1/books:watch`, { headers });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))[1]).toEqual({ resume_token: "t2", deleted: "b1" });
    expect(lines).toHaveLength(3);
  });

  test("goes over HTTP/2 as well", async () => {
    const server = await serveHttp2(restHandlerFor(threeBooks, { streams }));
    servers.push(server);
    const session = http2.connect(server.origin);
    const stream = session.request({ ":path": "/v1/books:watch", accept: "text/event-stream" });
    const [headers]: http2.IncomingHttpHeaders[] = await once(stream, "response");
    expect(headers).toMatchObject({ ":status": 200, "content-type": "text/event-stream" });
    expect((await stream.toArray()).join("")).toBe(events.join(""));
    session.close();
  });

  const silent: Bookstore = {
    async *watchBooks(_request, context: HandlerContext) {
      await aborted(context);
      yield {};
    },
  };

  test("that is silent has its headers all the same over HTTP/1.1", async () => {
    const caller = new AbortController();
    const origin = await serve(silent, { streams: { headerDelayMs: 10 } });
    const response = await fetch(`${origin}/v1/books:watch`, { signal: caller.signal });
    expect(response.status).toBe(200);
    caller.abort();
  });

  test("that is silent has its headers all the same over HTTP/2", async () => {
    const server = await serveHttp2(restHandlerFor(silent, { streams: { headerDelayMs: 10 } }));
    servers.push(server);
    const session = http2.connect(server.origin);
    const stream = session.request({ ":path": "/v1/books:watch" });
    const [headers]: http2.IncomingHttpHeaders[] = await once(stream, "response");
    expect(headers?.[":status"]).toBe(200);
    session.destroy();
  });

  test("hears comments in silences", async () => {
    const quiet: Bookstore = {
      async *watchBooks(_request, context: HandlerContext) {
        yield { resumeToken: "t1" };
        await aborted(context);
      },
    };
    const caller = new AbortController();
    const options = { streams: { ...streams, heartbeatMs: 10 } };
    const response = await fetch(`${await serve(quiet, options)}/v1/books:watch`, { signal: caller.signal });
    expect(await readUntil(response, ": heartbeat\n\n: heartbeat\n\n")).toContain("data:");
    caller.abort();
  });

  test("goes on after Last-Event-ID, whatever the query says", async () => {
    const tokens: string[] = [];
    const bookstore: Bookstore = {
      async *watchBooks({ resumeToken }) {
        tokens.push(resumeToken);
        yield {};
      },
    };
    const url = `${await serve(bookstore)}/v1/books:watch?resume_token=old`;
    await (await fetch(url, { headers: { "last-event-id": "new" } })).text();
    await (await fetch(url)).text();
    expect(tokens).toEqual(["new", "old"]);
  });

  test("with an id that would break the line leaves it out", async () => {
    const bookstore: Bookstore = {
      async *watchBooks() {
        yield { resumeToken: "a\nevent: forged" };
      },
    };
    const body = await (await fetch(`${await serve(bookstore)}/v1/books:watch`)).text();
    expect(body).not.toMatch(/^id:/m);
    expect(body).not.toMatch(/^event: forged/m);
  });
});

describe("a stream that fails", () => {
  test("before its first message has the status of its failure", async () => {
    const bookstore: Bookstore = {
      // eslint-disable-next-line require-yield -- it never gets that far
      async *watchBooks() {
        throw new ConnectError("no", Code.PermissionDenied);
      },
    };
    const response = await fetch(`${await serve(bookstore)}/v1/books:watch`);
    expect(response.status).toBe(403);
    expect(response.headers.get("content-type")).toBe("application/json");
  });

  const failing: Bookstore = {
    async *watchBooks() {
      yield { resumeToken: "t1" };
      throw new ConnectError("too old", Code.OutOfRange);
    },
  };

  test("later ends with an error event", async () => {
    const body = await (await fetch(`${await serve(failing)}/v1/books:watch`)).text();
    expect(body).toContain(
      'event: error\ndata: {"error":{"code":400,"message":"too old","status":"OUT_OF_RANGE","details":[]}}\n\n',
    );
    expect(body).not.toContain("event: end");
  });

  test("later ends with an error line", async () => {
    const headers = { accept: "application/x-ndjson" };
    const body = await (await fetch(`${await serve(failing)}/v1/books:watch`, { headers })).text();
    expect(JSON.parse(body.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ error: { status: "OUT_OF_RANGE" } });
  });
});

describe("a server that shuts down", () => {
  test("ends its streams with UNAVAILABLE and a delay", async () => {
    const bookstore: Bookstore = {
      async *watchBooks(_request, context: HandlerContext) {
        yield { resumeToken: "t1" };
        await aborted(context);
      },
    };
    const shutdown = new AbortController();
    const response = await fetch(`${await serve(bookstore, { shutdownSignal: shutdown.signal })}/v1/books:watch`);
    shutdown.abort();
    const body = await response.text();
    expect(body).toContain("retry: 1000\nevent: error\n");
    expect(body).toContain('"status":"UNAVAILABLE"');
  });
});

describe("a reader", () => {
  test("that hangs up ends the call", async () => {
    const ended = Promise.withResolvers<void>();
    const bookstore: Bookstore = {
      async *watchBooks(_request, context: HandlerContext) {
        yield { resumeToken: "t1" };
        await aborted(context);
        ended.resolve();
      },
    };
    const caller = new AbortController();
    const response = await fetch(`${await serve(bookstore)}/v1/books:watch`, { signal: caller.signal });
    await readUntil(response, "t1");
    caller.abort();
    await ended.promise;
  });

  test("that is slow holds the service back", async () => {
    let yielded = 0;
    const value = { title: "x".repeat(100_000) };
    const bookstore: Bookstore = {
      async *watchBooks(_request, { signal }: HandlerContext) {
        while (!signal.aborted) {
          yielded++;
          yield { resumeToken: String(yielded), event: { case: "changed", value } };
        }
      },
    };
    const server = await serveHttp2(restHandlerFor(bookstore, { streams }));
    servers.push(server);
    const session = http2.connect(server.origin);
    const stream = session.request({ ":path": "/v1/books:watch" });
    await once(stream, "response");
    // The window of an HTTP/2 stream is 64 KiB: what is not read is not made.
    let before = -1;
    while (before !== yielded) {
      before = yielded;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(yielded).toBeLessThan(20);
    stream.resume();
    await once(stream, "data");
    session.destroy();
  });

  test("that stops reading and goes away ends the call as well", async () => {
    const ended = Promise.withResolvers<void>();
    const value = { title: "x".repeat(100_000) };
    const bookstore: Bookstore = {
      async *watchBooks(_request, { signal }: HandlerContext) {
        signal.addEventListener("abort", () => ended.resolve());
        while (!signal.aborted) yield { event: { case: "changed", value } };
      },
    };
    const server = await serveHttp2(restHandlerFor(bookstore, { streams }));
    servers.push(server);
    const session = http2.connect(server.origin);
    const stream = session.request({ ":path": "/v1/books:watch" });
    await once(stream, "response");
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await ended.promise;
    session.destroy();
  });
});
