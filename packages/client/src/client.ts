import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client as ServiceClient, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import {
  TaskService,
  type WatchTasksRequestSchema,
  type WatchTasksResponse,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import {
  type WatchWorkSessionsRequestSchema,
  type WatchWorkSessionsResponse,
  WorkSessionService,
} from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { ZedInstanceService } from "@helix-zed/gen/helix/zed/v1/zed_instance_service_pb.ts";
import {
  type WatchZedThreadRequestSchema,
  type WatchZedThreadResponse,
  ZedThreadService,
} from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { bearer, type TokenSource } from "./bearer.ts";
import { tellLostConnection } from "./lost-connection.ts";
import { retry, type RetryOptions } from "./retry.ts";
import { Watch, type WatchOptions } from "./watch.ts";

/** What a client needs beside its transport. */
export interface ClientOptions {
  /** Where the services are: the gateway's address. */
  readonly baseUrl: string;
  readonly token?: TokenSource;
  readonly retry?: RetryOptions;
  /** Around every call, outside of the retries. */
  readonly interceptors?: readonly Interceptor[];
}

/** What each watch asks for, but for the token that the watch itself keeps. */
type Asked<Request> = Omit<Request, "resumeToken" | "$typeName" | "$unknown">;

/** The services as typed clients, and their watches as ones that resume. */
export interface Client {
  readonly tasks: ServiceClient<typeof TaskService>;
  readonly workSessions: ServiceClient<typeof WorkSessionService>;
  readonly runners: ServiceClient<typeof RunnerService>;
  readonly zedThreads: ServiceClient<typeof ZedThreadService>;
  readonly zedInstances: ServiceClient<typeof ZedInstanceService>;
  watchTasks(
    request: Asked<MessageInitShape<typeof WatchTasksRequestSchema>>,
    options?: WatchOptions,
  ): Watch<WatchTasksResponse>;
  watchWorkSessions(
    request: Asked<MessageInitShape<typeof WatchWorkSessionsRequestSchema>>,
    options?: WatchOptions,
  ): Watch<WatchWorkSessionsResponse>;
  watchZedThread(
    request: Asked<MessageInitShape<typeof WatchZedThreadRequestSchema>>,
    options?: WatchOptions,
  ): Watch<WatchZedThreadResponse>;
}

/** A client over any transport. `@helix-zed/client/node` and `@helix-zed/client/web` make theirs. */
export function clientOver(transport: Transport): Client {
  const tasks = createClient(TaskService, transport);
  const workSessions = createClient(WorkSessionService, transport);
  const zedThreads = createClient(ZedThreadService, transport);
  return {
    tasks,
    workSessions,
    runners: createClient(RunnerService, transport),
    zedThreads,
    zedInstances: createClient(ZedInstanceService, transport),
    watchTasks: (request, options) =>
      new Watch((resumeToken, signal) => tasks.watchTasks({ ...request, resumeToken }, streaming(signal)), options),
    watchWorkSessions: (request, options) =>
      new Watch(
        (resumeToken, signal) => workSessions.watchWorkSessions({ ...request, resumeToken }, streaming(signal)),
        options,
      ),
    watchZedThread: (request, options) =>
      new Watch(
        (resumeToken, signal) => zedThreads.watchZedThread({ ...request, resumeToken }, streaming(signal)),
        options,
      ),
  };
}

/** What goes around every call, outermost first. */
export function interceptorsOf({ token, retry: patience, interceptors = [] }: ClientOptions): Interceptor[] {
  return [...interceptors, retry(patience), ...(token === undefined ? [] : [bearer(token)]), tellLostConnection];
}

/** A watch has no deadline. */
function streaming(signal: AbortSignal): { readonly signal: AbortSignal; readonly timeoutMs: number } {
  return { signal, timeoutMs: 0 };
}
