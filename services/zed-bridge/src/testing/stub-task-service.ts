import { isWorkSessionOver } from "@helix-zed/client";
import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Refusal, systemWorld } from "@helix-zed/domain";
import {
  type WorkSession,
  WorkSessionSchema,
  WorkSessionStatus,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import {
  type CreateWorkSessionRequest,
  type UpdateWorkSessionStatusRequest,
  WorkSessionService,
} from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { type Server, serve, serverCodes } from "@helix-zed/server";
import { type TaskServiceClients, taskServiceClients } from "../bridge.ts";
import { silentLog } from "./serve-links.ts";

const codes = {
  ...serverCodes,
  LEASE_LOST: Code.Aborted,
  WORK_SESSION_NOT_FOUND: Code.NotFound,
  WORK_SESSION_STATUS_CONFLICT: Code.FailedPrecondition,
};

/** A task-service as far as reports go: on a real port, and with faults that a test sets. */
export class StubTaskService {
  /** Reports that were taken, oldest first. */
  readonly taken: UpdateWorkSessionStatusRequest[] = [];
  /** What is thrown instead of the next answers; `after` the report was taken, its answer being lost. */
  readonly faults: { readonly refusal: Refusal; readonly after?: boolean }[] = [];
  /** Sessions that were made, and for whom; each request id makes one. */
  readonly created: WorkSession[] = [];
  readonly createdFor: string[] = [];
  /** The same for the making of sessions. */
  readonly createFaults: { readonly refusal: Refusal; readonly after?: boolean }[] = [];
  readonly #byRequest = new Map<string, WorkSession>();
  readonly #sessions = new Map<string, WorkSession>();
  #server: Server | null = null;
  #port = 0;

  /** The clients of it; good across restarts once it has been started. */
  get clients(): TaskServiceClients {
    return taskServiceClients({ baseUrl: `http://127.0.0.1:${this.#port}`, token: "token" });
  }

  /** Lets a session exist. */
  add(id: string, status: WorkSessionStatus = WorkSessionStatus.ACTIVE, taskId = ""): void {
    this.#sessions.set(id, create(WorkSessionSchema, { id, status, taskId }));
  }

  async start(): Promise<void> {
    for (const list of [this.created, this.createdFor, this.createFaults]) list.length = 0;
    this.#byRequest.clear();
    this.#server = await serve({
      host: "127.0.0.1",
      port: this.#port,
      log: silentLog,
      world: systemWorld(),
      codes,
      authenticate: () => ({ actor: { kind: "service", name: "zed-bridge", roles: ["runner"] } }),
      routes: (router) =>
        router.service(WorkSessionService, {
          getWorkSession: ({ id }) => ({ workSession: this.#find(id) }),
          createWorkSession: (request, { requestHeader }) => ({
            workSession: this.#create(request, requestHeader.get("helix-user-id") ?? ""),
          }),
          updateWorkSessionStatus: (request) => ({ workSession: this.#update(request) }),
        }),
    });
    this.#port = this.#server.port;
  }

  async stop(): Promise<void> {
    await this.#server?.close({ graceMs: 200 });
  }

  #find(id: string): WorkSession {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new Refusal("WORK_SESSION_NOT_FOUND", "There is no such work session.");
    return session;
  }

  #create(request: CreateWorkSessionRequest, userId: string): WorkSession {
    const fault = this.createFaults.shift();
    if (fault !== undefined && fault.after !== true) throw fault.refusal;
    const { taskId, name, description, agentType, requestId } = request;
    const known = this.#byRequest.get(requestId);
    const session = known ?? create(WorkSessionSchema, { taskId, name, description, agentType, userId });
    if (known === undefined) {
      session.id = systemWorld().newId("ws");
      if (request.environmentConfig !== undefined) session.environmentConfig = request.environmentConfig;
      this.#byRequest.set(requestId, session);
      this.created.push(session);
      this.createdFor.push(userId);
    }
    if (fault !== undefined) throw fault.refusal;
    return session;
  }

  #update(request: UpdateWorkSessionStatusRequest): WorkSession {
    const fault = this.faults.shift();
    if (fault !== undefined && fault.after !== true) throw fault.refusal;
    const session = this.#find(request.id);
    // A repeated report is taken for what it is.
    if (session.status !== request.status) {
      if (isWorkSessionOver(session)) throw new Refusal("WORK_SESSION_STATUS_CONFLICT", "It has ended.");
      session.status = request.status;
      this.taken.push(request);
    }
    if (fault !== undefined) throw fault.refusal;
    return session;
  }
}
