import { once } from "node:events";
import * as http2 from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import {
  TaskService,
  WatchTasksRequestSchema,
  type WatchTasksResponse,
  WatchTasksResponseSchema,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { describe, expect, test } from "vitest";
import type { Authenticate } from "../authenticate.ts";
import { collect, startTestServer, type TestServer, transports } from "../testing/test-server.ts";

const path = "/helix.task.v1.TaskService/WatchTasks";
const bytes = Buffer.from(toBinary(WatchTasksRequestSchema, create(WatchTasksRequestSchema)));

const contentTypes = { gRPC: "application/grpc", Connect: "application/connect+proto" } as const;

/** A watch over HTTP/2 that reads only when it is told to. */
function open({ url }: TestServer, contentType: string, settings: http2.Settings = {}) {
  const session = http2.connect(url, { settings });
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": contentType, te: "trailers" });
  stream.on("error", () => {});
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), bytes]));
  return { stream, [Symbol.dispose]: () => session.destroy() };
}

/** A handler that says a kilobyte again and again, and notes how often and whether it was ended. */
function chatterer(): {
  said: () => number;
  ended: Promise<void>;
  watchTasks: ServiceImpl<typeof TaskService>["watchTasks"];
} {
  let said = 0;
  const ended = Promise.withResolvers<void>();
  async function* watchTasks(): AsyncGenerator<{ resumeToken: string }> {
    try {
      for (;;) {
        yield { resumeToken: String(said).padStart(1_000, "0") };
        said++;
      }
    } finally {
      ended.resolve();
    }
  }
  return { said: () => said, ended: ended.promise, watchTasks };
}

const slowly: Authenticate = async () => {
  await pause(20);
  return { actor: { kind: "user", userId: "ada" } };
};

function asIs(buffer: Buffer): Buffer {
  return buffer;
}

/** Resolves when a number has stopped growing. */
async function settled(count: () => number): Promise<number> {
  let last = -1;
  await expect
    .poll(
      () => {
        const isSettled = last > 0 && last === count();
        last = count();
        return isSettled;
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBe(true);
  return last;
}

describe.each(Object.entries(contentTypes))("a stream over %s", (_name, contentType) => {
  test("sends its head before there is anything to say", async () => {
    await using server = await startTestServer({
      // oxlint-disable-next-line eslint/require-yield -- it has nothing to say
      async *watchTasks(_request, { signal }) {
        await once(signal, "abort");
      },
    });
    using watch = open(server, contentType);
    const [head] = await once(watch.stream, "response");
    expect(head).toMatchObject({ ":status": 200, "x-request-id": expect.stringMatching(/^req_/) });
  });

  test("stops its handler while nobody reads, and goes on where it was", async () => {
    const { said, watchTasks } = chatterer();
    await using server = await startTestServer({ watchTasks });
    using watch = open(server, contentType);
    const stoppedAt = await settled(said);
    // A window and a buffer, 64 KB each.
    expect(stoppedAt).toBeLessThan(400);
    let received = "";
    watch.stream.setEncoding("latin1").on("data", (piece: string) => (received += piece));
    await expect.poll(said, { timeout: 10_000 }).toBeGreaterThan(stoppedAt + 500);
    const numbers = [...received.matchAll(/0{900,}(\d+)/g)].map(([whole]) => Number(whole.slice(-1_000)));
    expect(numbers.length).toBeGreaterThan(100);
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });

  test("ends its handler when a caller who does not read hangs up", async () => {
    const { said, ended, watchTasks } = chatterer();
    await using server = await startTestServer({ watchTasks });
    using watch = open(server, contentType);
    await settled(said);
    watch.stream.close(http2.constants.NGHTTP2_CANCEL);
    await ended;
    await expect.poll(() => server.lines).toContainEqual(expect.objectContaining({ msg: "call", code: "Canceled" }));
  });

  test("ends its handler when the connection of a caller who does not read is cut", async () => {
    const { said, ended, watchTasks } = chatterer();
    await using server = await startTestServer({ watchTasks });
    {
      using watch = open(server, contentType);
      watch.stream.pause();
      await settled(said);
    }
    await ended;
  });

  test("ends its handler when the time of a caller who does not read is up", async () => {
    const { ended, watchTasks } = chatterer();
    await using server = await startTestServer({ watchTasks });
    const client = http2.connect(server.url);
    const timeout = contentType === "application/grpc" ? { "grpc-timeout": "700m" } : { "connect-timeout-ms": "700" };
    const stream = client.request({ ":method": "POST", ":path": path, "content-type": contentType, ...timeout });
    stream.on("error", () => {}).end(Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), bytes]));
    await ended;
    expect(server.lines).toContainEqual(expect.objectContaining({ msg: "call", code: "DeadlineExceeded" }));
    client.destroy();
  });

  test("is encoded once for all who are sent the same message", async () => {
    const message: WatchTasksResponse = create(WatchTasksResponseSchema, { resumeToken: "as it was first" });
    await using server = await startTestServer({
      async *watchTasks() {
        yield message;
        // Nobody may change it now; one who does is not heard.
        message.resumeToken = "changed";
      },
    });
    const client = createClient(TaskService, Object.values(transports)[_name === "gRPC" ? 0 : 4]!(server.url));
    for (let time = 0; time < 2; time++) {
      expect(await collect(client.watchTasks({}))).toMatchObject([{ resumeToken: "as it was first" }]);
    }
  });
});

describe("the short path", () => {
  test("serves grpc-js: head, messages, metadata and status of a stream", async () => {
    await using server = await startTestServer({
      async *watchTasks(_request, { responseHeader, responseTrailer }) {
        responseHeader.set("x-first", "1");
        responseTrailer.set("x-last", "2");
        yield { resumeToken: "a" };
        yield { resumeToken: "b" };
      },
    });
    const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
    const call = client.makeServerStreamRequest(path, asIs, asIs, bytes);
    const [metadata, status, messages] = await Promise.all([once(call, "metadata"), once(call, "status"), all(call)]);
    expect(metadata[0].get("x-first")).toEqual(["1"]);
    expect(messages).toHaveLength(2);
    expect(status[0]).toMatchObject({ code: grpc.status.OK });
    expect(status[0].metadata.get("x-last")).toEqual(["2"]);
    client.close();
  });

  test.each(Object.entries(contentTypes))(
    "refuses over %s who has no token, before there is a body",
    async (_n, type) => {
      await using server = await startTestServer({}, { authenticate: () => Promise.reject(new Error("nobody")) });
      const session = http2.connect(server.url);
      // The request is never ended.
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": type }, { endStream: false });
      const [head] = await once(stream, "response");
      expect(head).toMatchObject({ ":status": 200 });
      stream.resume();
      await once(stream, "close");
      session.destroy();
    },
  );

  test.each(["application/proto", "application/grpc"])(
    "answers %s without a body, however late its gate opens",
    async (type) => {
      await using server = await startTestServer({ listTasks: () => ({}) }, { authenticate: slowly });
      const session = http2.connect(server.url);
      const to = { ":method": "POST", ":path": "/helix.task.v1.TaskService/ListTasks", "content-type": type };
      for (const endStream of [true, false]) {
        const stream = session.request(to, { endStream });
        if (!endStream) stream.end();
        const [head] = await once(stream, "response");
        expect(head[":status"]).toBe(200);
      }
      session.destroy();
    },
  );

  test("tells a handler that asks afterwards that its call is over", async () => {
    const contexts: HandlerContext[] = [];
    await using server = await startTestServer({
      getTask(_request, context) {
        contexts.push(context);
        return {};
      },
    });
    for (const transport of Object.values(transports)) {
      await createClient(TaskService, transport(server.url)).getTask({ id: "a" });
    }
    await expect.poll(() => contexts.map(({ signal }) => signal.aborted)).toEqual(contexts.map(() => true));
    expect(contexts.map(({ signal }) => signal.reason.name)).toEqual(contexts.map(() => "AbortError"));
  });
});

async function all(messages: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const received: Buffer[] = [];
  for await (const message of messages) received.push(message);
  return received;
}
