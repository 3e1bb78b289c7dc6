import { once } from "node:events";
import * as http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { afterEach, describe, expect, test } from "vitest";
import { Genre } from "../test/gen/bookstore/v1/bookstore_pb.ts";
import { type Bookstore, restHandlerFor, serveHttp1, type TestServer } from "../test/rest-server.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import type { RestOptions } from "./rest-options.ts";

const servers: TestServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function serve(bookstore: Bookstore, options?: Omit<RestOptions, "services">): Promise<string> {
  const server = await serveHttp1(restHandlerFor(bookstore, options));
  servers.push(server);
  return server.origin;
}

const shelves: Bookstore = {
  getShelf: ({ id }) => ({ shelf: { id, genre: Genre.POETRY } }),
  createShelf: ({ shelf }) => (shelf === undefined ? {} : { shelf }),
  deleteShelf: () => ({}),
  purgeShelf: () => ({}),
  tagBook: ({ tags }) => ({ tags }),
  listShelves: ({ pageSize }) => ({ shelves: [], nextPageToken: String(pageSize) }),
};

interface ErrorBody {
  readonly error: { code: number; status: string; message: string; details: Record<string, unknown>[] };
}

async function errorOf(response: Response): Promise<ErrorBody["error"]> {
  expect(response.headers.get("content-type")).toBe("application/json");
  // What the body must look like is what these tests are about.
  const { error }: ErrorBody = JSON.parse(await response.text());
  expect(error.code).toBe(response.status);
  return error;
}

function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
}

function failing(error: unknown): Bookstore {
  return {
    getShelf() {
      throw error;
    },
  };
}

describe("an answer", () => {
  test("is the field that response_body names", async () => {
    const response = await fetch(`${await serve(shelves)}/v1/shelves/s1`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    expect(await response.json()).toMatchObject({ id: "s1", genre: "poetry", capacity: 0 });
  });

  test("may be a list, and an empty message is an empty object", async () => {
    const origin = await serve(shelves);
    const tags = await fetch(`${origin}/v1/books/b/tags`, { ...post('["a"]'), method: "PUT" });
    expect(await tags.json()).toEqual(["a"]);
    const deleted = await fetch(`${origin}/v1/shelves/s1`, { method: "DELETE" });
    expect(await deleted.json()).toEqual({});
  });

  test("to HEAD has the headers of GET and no body", async () => {
    const response = await fetch(`${await serve(shelves)}/v1/shelves/s1`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(10);
    expect(await response.text()).toBe("");
  });

  test("to OPTIONS lists what the path takes", async () => {
    const response = await fetch(`${await serve(shelves)}/v1/shelves/s1`, { method: "OPTIONS" });
    expect(response.status).toBe(204);
    expect(response.headers.get("allow")).toBe("GET, DELETE, PURGE, HEAD, OPTIONS");
  });

  test("to a method of one's own works like any other", async () => {
    const response = await fetch(`${await serve(shelves)}/v1/shelves/s1`, { method: "PURGE" });
    expect(response.status).toBe(200);
  });
});

describe("a refusal", () => {
  test.each<[path: string, init: RequestInit, status: number, name: string, reason: string]>([
    ["/nope", {}, 404, "NOT_FOUND", "ROUTE_NOT_FOUND"],
    ["/v1/shelves/", {}, 404, "NOT_FOUND", "ROUTE_NOT_FOUND"],
    ["/v1/shelves?nope=1", {}, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    ["/v1/shelves", post("{"), 400, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    ["/v1/shelves", post("{} x"), 400, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    ["/v1/shelves", post(Uint8Array.of(0x22, 0xff, 0x22)), 400, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    [
      "/v1/shelves",
      post("a=b", { "content-type": "application/x-www-form-urlencoded" }),
      415,
      "INVALID_ARGUMENT",
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    [
      "/v1/shelves",
      post("{}", { "content-type": "application/json; charset=latin1" }),
      415,
      "INVALID_ARGUMENT",
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    ["/v1/shelves", post("{}", { "content-encoding": "zstd" }), 415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE"],
    ["/v1/shelves", { headers: { accept: "text/html" } }, 406, "INVALID_ARGUMENT", "NOT_ACCEPTABLE"],
    ["/v1/books:watch", { headers: { accept: "application/json" } }, 406, "INVALID_ARGUMENT", "NOT_ACCEPTABLE"],
    ["/v1/shelves", post(`"${"x".repeat(2000)}"`), 413, "RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"],
    ["/v1/shelves", { headers: { "x-server-timeout": "soon" } }, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"],
    ["/v1/books:upload", post("{}"), 501, "UNIMPLEMENTED", "NOT_IMPLEMENTED"],
    ["/v1/books:watch", { method: "HEAD" }, 405, "", ""],
  ])("%s %j is %d", async (path, init, status, name, reason) => {
    const response = await fetch((await serve(shelves, { maxBodyBytes: 1000 })) + path, init);
    expect(response.status).toBe(status);
    if (init.method === "HEAD") return;
    const error = await errorOf(response);
    expect(error.status).toBe(name);
    expect(error.details).toContainEqual({
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason,
      domain: "bookstore.test",
    });
  });

  test("of a method says which ones there are", async () => {
    const response = await fetch(`${await serve(shelves)}/v1/shelves/s1`, { method: "PATCH" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, DELETE, PURGE, HEAD, OPTIONS");
    expect((await errorOf(response)).message).toBe(
      "This path does not take PATCH, only GET, DELETE, PURGE, HEAD, OPTIONS.",
    );
  });

  test("of fields lists them all", async () => {
    const response = await fetch(`${await serve(shelves)}/v1/shelves`, post('{"genre":"x","nope":1}'));
    const { message, details } = await errorOf(response);
    expect(message).toBe(
      'shelf.genre: must be one of science_fiction, poetry; got "x"; shelf.nope: is not a field of Shelf',
    );
    expect(details).toContainEqual({
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: [
        { field: "shelf.genre", description: 'must be one of science_fiction, poetry; got "x"' },
        { field: "shelf.nope", description: "is not a field of Shelf" },
      ],
    });
  });

  test("of a body that is announced too large comes before the body", async () => {
    const origin = await serve(shelves, { maxBodyBytes: 1000 });
    const request = http.request(`${origin}/v1/shelves`, { method: "POST", headers: { "content-length": "1000000" } });
    request.flushHeaders();
    const [response]: http.IncomingMessage[] = await once(request, "response");
    expect(response?.statusCode).toBe(413);
    request.destroy();
  });

  test.each([
    [{ "content-type": "application/json; charset=UTF-8" }, 200],
    [{ "content-type": "APPLICATION/JSON" }, 200],
    [{ accept: "text/html, */*;q=0.1" }, 200],
    [{ accept: "application/*" }, 200],
    [{ accept: "application/json;q=0, */*" }, 406],
  ])("is not given without need: %j is %d", async (headers, status) => {
    const response = await fetch(`${await serve(shelves)}/v1/shelves`, post("{}", headers));
    expect(response.status).toBe(status);
  });
});

describe("a failure of the service", () => {
  test("keeps its code, message and details", async () => {
    const info = { desc: ErrorInfoSchema, value: { reason: "SHELF_GONE", domain: "d", metadata: { id: "s1" } } };
    const error = new ConnectError("no such shelf", Code.NotFound, undefined, [info]);
    const response = await fetch(`${await serve(failing(error))}/v1/shelves/s1`);
    expect(await errorOf(response)).toEqual({
      code: 404,
      status: "NOT_FOUND",
      message: "no such shelf",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          reason: "SHELF_GONE",
          domain: "d",
          metadata: { id: "s1" },
        },
      ],
    });
  });

  test.each([
    [Code.Canceled, 499],
    [Code.Unknown, 500],
    [Code.InvalidArgument, 400],
    [Code.DeadlineExceeded, 504],
    [Code.NotFound, 404],
    [Code.AlreadyExists, 409],
    [Code.PermissionDenied, 403],
    [Code.ResourceExhausted, 429],
    [Code.FailedPrecondition, 400],
    [Code.Aborted, 409],
    [Code.OutOfRange, 400],
    [Code.Unimplemented, 501],
    [Code.Internal, 500],
    [Code.Unavailable, 503],
    [Code.DataLoss, 500],
    [Code.Unauthenticated, 401],
  ])("with code %d is HTTP %d", async (code, status) => {
    const response = await fetch(`${await serve(failing(new ConnectError("x", code)))}/v1/shelves/s1`);
    expect(response.status).toBe(status);
  });

  test("that says when to try again sets Retry-After, rounded up", async () => {
    const retry = { desc: RetryInfoSchema, value: { retryDelay: { seconds: 1n, nanos: 1_000_000 } } };
    const error = new ConnectError("busy", Code.Unavailable, undefined, [retry]);
    const response = await fetch(`${await serve(failing(error))}/v1/shelves/s1`);
    expect(response.headers.get("retry-after")).toBe("2");
  });

  test("with a detail of an unknown type shows it as base64", async () => {
    const error = new ConnectError("x", Code.Aborted);
    error.details.push({ type: "no.Such", value: Uint8Array.of(1, 2) });
    const response = await fetch(`${await serve(failing(error))}/v1/shelves/s1`);
    expect((await errorOf(response)).details).toEqual([{ "@type": "type.googleapis.com/no.Such", value: "AQI=" }]);
  });

  test("that nobody expected tells nothing about itself", async () => {
    const response = await fetch(`${await serve(failing(new Error("password is hunter2")))}/v1/shelves/s1`);
    expect(await errorOf(response)).toEqual({ code: 500, status: "INTERNAL", message: "internal error", details: [] });
  });
});

describe("a call", () => {
  test("carries the listed headers and no others, both ways", async () => {
    let seen = new Headers();
    const bookstore: Bookstore = {
      getShelf(_request, context: HandlerContext) {
        seen = context.requestHeader;
        context.responseHeader.set("x-shelf", "1");
        context.responseHeader.set("x-secret", "1");
        return {};
      },
    };
    const options = { requestHeaders: ["authorization", "tenant-*"], responseHeaders: ["x-shelf"] };
    const response = await fetch(`${await serve(bookstore, options)}/v1/shelves/s1`, {
      headers: { authorization: "Bearer t", "tenant-id": "7", cookie: "c" },
    });
    expect(seen.get("authorization")).toBe("Bearer t");
    expect(seen.get("tenant-id")).toBe("7");
    expect(seen.has("cookie")).toBe(false);
    expect(response.headers.get("x-shelf")).toBe("1");
    expect(response.headers.has("x-secret")).toBe(false);
    expect(await response.json()).toBeNull();
  });

  test.each([
    [{ "connect-timeout-ms": "200" }, 200],
    [{ "x-server-timeout": "0.2" }, 200],
    [{ "grpc-timeout": "200m" }, 200],
    [{ "grpc-timeout": "5S" }, 1_000],
    [{}, 700],
  ])("%j has a deadline of %d ms", async (headers, deadlineMs) => {
    let timeoutMs: number | undefined;
    const bookstore: Bookstore = {
      getShelf(_request, context: HandlerContext) {
        timeoutMs = context.timeoutMs();
        return {};
      },
    };
    const options = { defaultTimeoutMs: 700, maxTimeoutMs: 1_000 };
    await fetch(`${await serve(bookstore, options)}/v1/shelves/s1`, { headers });
    expect(timeoutMs).toBeGreaterThan(deadlineMs - 150);
    expect(timeoutMs).toBeLessThanOrEqual(deadlineMs);
  });

  test("that takes longer than its deadline is 504", async () => {
    const bookstore: Bookstore = {
      getShelf: (_request, { signal }: HandlerContext) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    };
    const response = await fetch(`${await serve(bookstore)}/v1/shelves/s1`, {
      headers: { "connect-timeout-ms": "20" },
    });
    expect((await errorOf(response)).status).toBe("DEADLINE_EXCEEDED");
  });

  test("is cancelled when its caller hangs up", async () => {
    const started = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const bookstore: Bookstore = {
      async getShelf(_request, { signal }: HandlerContext) {
        signal.addEventListener("abort", () => cancelled.resolve());
        started.resolve();
        await cancelled.promise;
        return {};
      },
    };
    const caller = new AbortController();
    const answer = fetch(`${await serve(bookstore)}/v1/shelves/s1`, { signal: caller.signal });
    await started.promise;
    caller.abort();
    await expect(answer).rejects.toThrow("aborted");
    await cancelled.promise;
  });

  test("that breaks off in its body is nobody's fault", async () => {
    const unexpected: unknown[] = [];
    const onUnexpected = (error: unknown): undefined => void unexpected.push(error);
    const origin = await serve(shelves, { onUnexpected });
    const request = http.request(`${origin}/v1/shelves`, { method: "POST", headers: { "content-length": "100" } });
    request.on("error", () => {});
    request.write("{");
    await once(request, "socket");
    await new Promise((resolve) => request.write(" ", resolve));
    request.destroy();
    expect((await fetch(`${origin}/v1/shelves/s1`)).status).toBe(200);
    expect(unexpected).toEqual([]);
  });

  test("that is garbage leaves the server up", async () => {
    const origin = await serve(shelves);
    const port = Number(new URL(origin).port);
    for (const path of ["*", "//", "/%", "/v1/shelves/%00", "/v1/shelves/\u00ff", "/?&=&%", `/${"a/".repeat(3000)}`]) {
      const request = http.request({ port, path: encodeURI(path).replaceAll("%25", "%"), host: "127.0.0.1" });
      request.end();
      const [response]: http.IncomingMessage[] = await once(request, "response");
      expect(response?.statusCode).toBeLessThan(500);
      response?.resume();
    }
    await sleep(0);
    expect((await fetch(`${origin}/v1/shelves/s1`)).status).toBe(200);
  });
});
