import { type CallOptions, type Client, Code } from "@connectrpc/connect";
import { Refusal } from "@helix-zed/domain";
import type { WorkSession } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { WorkSessionService } from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { actingFor, UpstreamError } from "@helix-zed/server";
import type { ActingAgent } from "../application/find-agent.ts";
import type { Reason } from "../domain/reason.ts";

const PAGE_MAX = 1_000;
const CALL_TIMEOUT_MS = 10_000;

/** The work sessions of an agent's task, read as the person that it works for: others do not exist for it. */
export class TaskSessions {
  readonly #client: Client<typeof WorkSessionService>;
  readonly #agent: ActingAgent;

  constructor(client: Client<typeof WorkSessionService>, agent: ActingAgent) {
    this.#client = client;
    this.#agent = agent;
  }

  /** For calls that are made for the agent. */
  get callOptions(): CallOptions {
    return { ...actingFor(this.#agent.actor), timeoutMs: CALL_TIMEOUT_MS };
  }

  /** The agent's own session. */
  own(): Promise<WorkSession> {
    return this.get(this.#agent.session.workSessionId);
  }

  /** A session of the task; refuses with WORK_SESSION_NOT_FOUND whatever is not one. */
  async get(id: string): Promise<WorkSession> {
    const found = await this.#find(id);
    if (found?.taskId === this.#agent.taskId) return found;
    throw new Refusal<Reason>("WORK_SESSION_NOT_FOUND", `There is no work session ${id} in this task.`);
  }

  /** All sessions of the task, oldest first. */
  async all(): Promise<WorkSession[]> {
    const sessions: WorkSession[] = [];
    let pageToken = "";
    do {
      const request = { taskId: this.#agent.taskId, pageSize: PAGE_MAX, pageToken };
      const page = await this.#client.listWorkSessions(request, this.callOptions);
      sessions.push(...page.workSessions);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return sessions;
  }

  async #find(id: string): Promise<WorkSession | undefined> {
    try {
      return (await this.#client.getWorkSession({ id }, this.callOptions)).workSession;
    } catch (error) {
      if (error instanceof UpstreamError && error.code === Code.NotFound) return undefined;
      throw error;
    }
  }
}
