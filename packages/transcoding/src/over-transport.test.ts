import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import {
  BookstoreService,
  GetShelfRequestSchema,
  WatchBooksRequestSchema,
} from "../test/gen/bookstore/v1/bookstore_pb.ts";
import { type Bookstore, serveHttp2, type TestServer } from "../test/rest-server.ts";
import type { Call, Invoker } from "./invoker.ts";
import { overTransport } from "./over-transport.ts";
import { RestError } from "./rest-error.ts";

const servers: TestServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function upstream(bookstore: Bookstore): Promise<{ invoker: Invoker; server: TestServer }> {
  const server = await serveHttp2(
    connectNodeAdapter({ routes: (router) => router.service(BookstoreService, bookstore) }),
  );
  servers.push(server);
  return { server, invoker: overTransport(createConnectTransport({ baseUrl: server.origin, httpVersion: "2" })) };
}

function callOf(overrides: Partial<Call> = {}): Call {
  const request = create(GetShelfRequestSchema, { id: "s1" });
  return { request, header: new Headers(), signal: new AbortController().signal, timeoutMs: undefined, ...overrides };
}

function callUnary(invoker: Invoker, signal: AbortSignal): Promise<unknown> {
  return invoker.unary(getShelf, callOf({ signal }));
}

async function callStream(invoker: Invoker, signal: AbortSignal): Promise<unknown> {
  const { messages } = await invoker.serverStream(
    watchBooks,
    callOf({ signal, request: create(WatchBooksRequestSchema) }),
  );
  return Array.fromAsync(messages);
}

const outOfReach = { name: "RestError", code: Code.Unavailable, reason: "UPSTREAM_UNAVAILABLE" };
const { getShelf, watchBooks } = BookstoreService.method;

describe("a call over a transport", () => {
  test("brings the answer back", async () => {
    const { invoker } = await upstream({ getShelf: ({ id }) => ({ shelf: { id } }) });
    const { message } = await invoker.unary(getShelf, callOf());
    expect(message).toMatchObject({ shelf: { id: "s1" } });
  });

  test("passes on what the service itself says, also that it is unavailable", async () => {
    const { invoker } = await upstream({
      getShelf() {
        throw new ConnectError("closed on Sundays", Code.Unavailable);
      },
    });
    const error: unknown = await invoker.unary(getShelf, callOf()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: "closed on Sundays" });
  });

  test("is UNAVAILABLE where nobody listens, and names no address", async () => {
    const { invoker, server } = await upstream({});
    await server[Symbol.asyncDispose]();
    servers.length = 0;
    const error: unknown = await invoker.unary(getShelf, callOf()).catch((reason: unknown) => reason);
    expect(error).toMatchObject(outOfReach);
    expect(String(error)).not.toMatch(/127|ECONN/);
  });

  test.each(["unary", "stream"])(
    "whose caller has gone is cancelled at the service, not broken off: %s",
    async (kind) => {
      const begun = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<unknown>();
      const until = async ({ signal }: HandlerContext): Promise<void> => {
        begun.resolve();
        await once(signal, "abort");
        ended.resolve(signal.reason);
      };
      const { invoker } = await upstream({
        getShelf: (_request, context) => until(context).then(() => ({})),
        async *watchBooks(_request, context) {
          yield {};
          await until(context);
        },
      });
      const caller = new AbortController();
      const gone = new RestError(Code.Canceled, "CANCELLED", "The caller has gone.");
      const call = kind === "unary" ? callUnary(invoker, caller.signal) : callStream(invoker, caller.signal);
      await begun.promise;
      caller.abort(gone);
      await expect(call).rejects.toBe(gone);
      expect(await ended.promise).toMatchObject({ code: Code.Canceled });
    },
  );

  test("is UNAVAILABLE when the service dies over it", async () => {
    const begun = Promise.withResolvers<void>();
    const { invoker, server } = await upstream({
      async getShelf(_request, { signal }: HandlerContext) {
        begun.resolve();
        await once(signal, "abort");
        return {};
      },
    });
    const answer = invoker.unary(getShelf, callOf());
    await begun.promise;
    await server[Symbol.asyncDispose]();
    servers.length = 0;
    await expect(answer).rejects.toMatchObject(outOfReach);
  });

  test("is UNAVAILABLE when the service dies in the middle of a stream", async () => {
    const { invoker, server } = await upstream({
      async *watchBooks(_request, { signal }: HandlerContext) {
        yield { resumeToken: "t1" };
        await once(signal, "abort");
      },
    });
    const call = callOf({ request: create(WatchBooksRequestSchema) });
    const { messages } = await invoker.serverStream(watchBooks, call);
    const iterator = messages[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { resumeToken: "t1" } });
    const next = iterator.next();
    await server[Symbol.asyncDispose]();
    servers.length = 0;
    await expect(next).rejects.toMatchObject(outOfReach);
  });

  test("fails with the reason of its signal when that aborts", async () => {
    const caller = new AbortController();
    const { invoker } = await upstream({
      async getShelf(_request, { signal }: HandlerContext) {
        caller.abort(new RestError(Code.Canceled, "CANCELLED", "gone"));
        await once(signal, "abort");
        return {};
      },
    });
    await expect(invoker.unary(getShelf, callOf({ signal: caller.signal }))).rejects.toMatchObject({ message: "gone" });
  });

  test("is DEADLINE_EXCEEDED after its time", async () => {
    const { invoker } = await upstream({
      async getShelf(_request, { signal }: HandlerContext) {
        await once(signal, "abort");
        return {};
      },
    });
    const error: unknown = await invoker.unary(getShelf, callOf({ timeoutMs: 20 })).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: Code.DeadlineExceeded });
  });
});
