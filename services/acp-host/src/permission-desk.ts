import type { RequestPermissionRequest } from "@agentclientprotocol/sdk/unstable";
import { idLengthMax, type PermissionOutcome, type SyncEvent } from "@helix-zed/sync-protocol";
import { answerPermission, answerWith, type PermissionAnswer, withdrawn } from "./permissions.ts";
import type { World } from "./world.ts";

// Requests for permission that somebody else is to decide.
//
// - Each is told to the server, again on every new link, until it has ended.
// - It ends by the server's answer, by the end of its turn, or by a time limit of this
//   host's own: the server has one too, which comes first, but no agent may wait for ever
//   for a server that is gone. Whatever ends it is told once, and again if asked.
// - An answer to a request that has ended changes nothing, and one that nobody knows is
//   said to be gone, so that the server does not wait either.

export interface PermissionDeskOptions {
  readonly world: World;
  readonly send: (event: SyncEvent) => void;
  readonly limitMs: number;
}

/** A request and where it stands. */
export interface AskedPermission {
  readonly threadId: string;
  readonly requestId: string;
  /** The label of the tool call, as its entry has it. */
  readonly toolName: string;
  readonly request: RequestPermissionRequest;
}

interface Open extends AskedPermission {
  readonly id: string;
  readonly askedAtSeconds: number;
  readonly settle: (answer: PermissionAnswer) => void;
}

interface Ended {
  readonly threadId: string;
  readonly outcome: PermissionOutcome;
}

const openMax = 100;
const endedKept = 1_000;
const optionsMax = 32;

/** The requests for permission of all threads of this host. */
export class PermissionDesk {
  readonly #options: PermissionDeskOptions;
  readonly #open = new Map<string, Open>();
  readonly #ended = new Map<string, Ended>();

  constructor(options: PermissionDeskOptions) {
    this.#options = options;
  }

  /** Asks the server, and waits for the end of the request, whichever it is. */
  async ask(asked: AskedPermission): Promise<PermissionAnswer> {
    const rejection = answerPermission(asked.request, "reject") ?? withdrawn;
    // More than this at once is no conversation.
    if (this.#open.size >= openMax) return rejection;
    const { world, limitMs } = this.#options;
    const answer = Promise.withResolvers<PermissionAnswer>();
    const askedAtSeconds = Math.floor(world.now() / 1000);
    const open: Open = { ...asked, id: world.newId(), askedAtSeconds, settle: answer.resolve };
    this.#open.set(open.id, open);
    const timer = world.after(limitMs, () => this.#end(open, { ...rejection, outcome: "expired" }));
    this.#tell(open);
    try {
      return await answer.promise;
    } finally {
      timer.cancel();
    }
  }

  /** Takes the server's answer; without an option the request is withdrawn. */
  answer(permissionId: string, optionId: string | null): void {
    const open = this.#open.get(permissionId);
    if (open === undefined) return this.#tellEnd(permissionId);
    const answer = optionId === null ? withdrawn : answerWith(open.request, optionId);
    this.#end(open, answer ?? answerPermission(open.request, "reject") ?? withdrawn);
  }

  /** Ends the requests of a thread, because the turn that asks has ended. */
  cancelThread(threadId: string): void {
    for (const open of this.#open.values()) if (open.threadId === threadId) this.#end(open, withdrawn);
  }

  /** Tells the server what is open, in case that it does not know. */
  tellAgain(): void {
    for (const open of this.#open.values()) this.#tell(open);
  }

  #end(open: Open, answer: PermissionAnswer): void {
    this.#open.delete(open.id);
    this.#ended.set(open.id, { threadId: open.threadId, outcome: answer.outcome });
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined && this.#ended.size > endedKept) this.#ended.delete(oldest);
    this.#tellEnd(open.id);
    open.settle(answer);
  }

  #tell({ id, threadId, requestId, toolName, request, askedAtSeconds }: Open): void {
    const options = request.options.filter(({ optionId }) => optionId.length <= idLengthMax).slice(0, optionsMax);
    const data = {
      acp_thread_id: threadId,
      request_id: requestId,
      permission_id: id,
      title: request.toolCall.title ?? toolName,
      tool_name: toolName,
      options: options.map(({ optionId, name, kind }) => ({ option_id: optionId, name, kind })),
      timestamp: askedAtSeconds,
    };
    this.#options.send({ event_type: "permission_requested", data });
  }

  #tellEnd(permissionId: string): void {
    const { threadId, outcome } = this.#ended.get(permissionId) ?? { threadId: "", outcome: "gone" };
    const data = { acp_thread_id: threadId, permission_id: permissionId, outcome } as const;
    this.#options.send({ event_type: "permission_resolved", data });
  }
}
