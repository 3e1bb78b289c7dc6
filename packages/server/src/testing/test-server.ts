import { Code, ConnectError, type ConnectRouter, type ServiceImpl, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { systemWorld } from "@helix-zed/domain";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { createLog } from "../log.ts";
import { serve, type ServeOptions } from "../serve.ts";

/** A server under test, on a free port. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Every log line so far. */
  readonly lines: readonly Record<string, unknown>[];
  close(options?: { graceMs?: number }): Promise<void>;
}

/** Serves a TaskService with these methods; everybody is let in as the user ada unless the options say otherwise. */
export async function startTestServer(
  tasks: Partial<ServiceImpl<typeof TaskService>>,
  options: Partial<ServeOptions> = {},
): Promise<TestServer> {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const server = await serve({
    host: "127.0.0.1",
    port: 0,
    routes: (router: ConnectRouter) => router.service(TaskService, tasks),
    authenticate: () => ({ actor: { kind: "user", userId: "ada" } }),
    codes: { TASK_NOT_FOUND: Code.NotFound, TASKS_TOO_MANY: Code.ResourceExhausted },
    log: createLog({ name: "test", level: "debug", destination }),
    world: systemWorld(),
    ...options,
  });
  let closed: Promise<void> | null = null;
  const close = (how: { graceMs?: number } = {}): Promise<void> => (closed ??= server.close(how));
  const dispose = (): Promise<void> => close({ graceMs: 200 });
  return { port: server.port, url: `http://127.0.0.1:${server.port}`, lines, close, [Symbol.asyncDispose]: dispose };
}

/** Every way in which a client of ours may speak, by name. */
export const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC-Web over HTTP/1.1": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
  "gRPC-Web over HTTP/2": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
  "Connect, JSON over HTTP/1.1": (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect, binary over HTTP/2": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" }),
};

/** What a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const failure = await call.then(
    () => null,
    (error: unknown) => ConnectError.from(error),
  );
  if (failure === null) throw new Error("The call did not fail.");
  return failure;
}

/** All messages of a stream. */
export async function collect<T>(messages: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const message of messages) into.push(message);
  return into;
}
