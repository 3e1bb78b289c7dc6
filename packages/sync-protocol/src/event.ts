// Events: what an editor says
//
//   {"event_type": string, "data": object}
//
// The types below are what stands on the wire and what the parser yields, in one: where a value is missing, the editor
// writes "" or null as the type says, and the parser reads absent, null and "" alike. Unknown keys are dropped. There is
// no acknowledgement, no sequence number and no session id in a frame: who speaks is known from the connection.
//
// `permission_requested` and `permission_resolved` are said by our own hosts only. An editor asks in its own window; all
// that can be seen of it is a tool call with the status `Waiting for confirmation`.
import { z } from "zod";
import { content, errorText, id, idOrEmpty, idOrNull, label, labelOrNull } from "./wire-text.ts";

/** Where a tool call stands, in the editor's words. */
export const toolStatuses = [
  "Pending",
  "Waiting for confirmation",
  "In Progress",
  "Completed",
  "Failed",
  "Rejected",
  "Canceled",
] as const;

/** One of {@link toolStatuses}. */
export type ToolStatus = (typeof toolStatuses)[number];

const timestamp = z.number().catch(0);
const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** What one turn cost, as the agent reports it. Whoever reports something else has reported nothing: unknown is not zero. */
export const tokenUsage = z.object({
  total_tokens: count,
  input_tokens: count,
  output_tokens: count,
  thought_tokens: count,
  cached_read_tokens: count,
  cached_write_tokens: count,
});

/** What one turn cost, in tokens. */
export type TokenUsage = z.output<typeof tokenUsage>;

/** Sent once after each connect, before anything else. No heartbeat. */
const ping = event("ping", z.object({ timestamp }));

/** An editor is ready, and for which thread. Comes several times in a connection; its agent names are not consistent. */
const agentReady = event("agent_ready", z.object({ agent_name: label, thread_id: idOrNull }));

/** The answer to a chat message that named no thread. */
const threadCreated = event("thread_created", z.object({ acp_thread_id: id, request_id: idOrEmpty }));

/** A person has opened a thread in the editor and said something in it. */
const userCreatedThread = event("user_created_thread", z.object({ acp_thread_id: id, title: labelOrNull }));

/** A thread has a new title. It may be a thread that the server does not know. */
const threadTitleChanged = event("thread_title_changed", z.object({ acp_thread_id: id, title: label }));

/** An entry is new or has changed. Its content is whole: it replaces what was there. Duplicates are certain. */
const messageAdded = event(
  "message_added",
  z.object({
    acp_thread_id: id,
    /** The entry's index in the thread, decimal. Unique within one thread and one life of the editor's process. */
    message_id: id,
    role: z.enum(["user", "assistant"]),
    content,
    /** A hint, not a key: may be empty or an older turn's. */
    request_id: idOrEmpty,
    entry_type: z.enum(["text", "tool_call"]).catch("text"),
    /** `""` for text. */
    tool_name: label,
    /** One of {@link toolStatuses}; `""` for text, or a word that a newer editor has. */
    tool_status: label,
    timestamp,
  }),
);

/** A turn has stopped: answered, or cancelled. */
const messageCompleted = event(
  "message_completed",
  z.object({
    acp_thread_id: id,
    /** Always `"0"`: refers to no entry. */
    message_id: idOrEmpty,
    request_id: idOrEmpty,
    agent_name: label,
    usage: tokenUsage.nullable().catch(null),
  }),
);

/** A turn, or the making of a thread, has failed. Names no thread. */
const chatResponseError = event("chat_response_error", z.object({ request_id: idOrEmpty, error: errorText }));

/** A thread could not be loaded, or a follow-up not be sent to it. */
const threadLoadError = event(
  "thread_load_error",
  z.object({ acp_thread_id: idOrEmpty, request_id: idOrEmpty, error: errorText }),
);

/** The answer to a cancel, sent before it is carried out. `noop`: nothing ran under that request id. */
const turnCancelled = event(
  "turn_cancelled",
  z.object({ request_id: idOrEmpty, status: z.enum(["cancelled", "noop"]) }),
);

/** The answer to a query of what the editor shows. */
const uiStateResponse = event(
  "ui_state_response",
  z.object({
    query_id: idOrEmpty,
    active_view: label,
    thread_id: idOrNull,
    entry_count: z.number().catch(0),
    mcp_servers: z.record(z.string(), z.string()).catch({}),
    active_model: labelOrNull,
  }),
);

/** What an answer to a request for permission can mean. */
export const permissionOptionKinds = ["allow_once", "allow_always", "reject_once", "reject_always"] as const;

/** One of {@link permissionOptionKinds}; `""` for a meaning that has no name here. */
export type PermissionOptionKind = (typeof permissionOptionKinds)[number] | "";

const permissionOptionsMax = 32;

/** An agent asks to be allowed something, and its turn waits. Told again on every new link until it is resolved. */
const permissionRequested = event(
  "permission_requested",
  z.object({
    acp_thread_id: id,
    request_id: idOrEmpty,
    permission_id: id,
    title: label,
    /** The label of the tool call that waits, as its entry has it. */
    tool_name: label,
    options: z
      .array(z.object({ option_id: id, name: label, kind: z.enum([...permissionOptionKinds, ""]).catch("") }))
      .max(permissionOptionsMax),
    timestamp,
  }),
);

/** How a request for permission has ended. `gone`: nobody waits under this id. */
export const permissionOutcomes = ["allowed", "rejected", "withdrawn", "expired", "gone"] as const;

/** One of {@link permissionOutcomes}. */
export type PermissionOutcome = (typeof permissionOutcomes)[number];

/** A request for permission is no longer open. */
const permissionResolved = event(
  "permission_resolved",
  z.object({ acp_thread_id: idOrEmpty, permission_id: id, outcome: z.enum(permissionOutcomes) }),
);

/** Every event, by the name on the wire. */
export const eventSchemas = {
  ping,
  agent_ready: agentReady,
  thread_created: threadCreated,
  user_created_thread: userCreatedThread,
  thread_title_changed: threadTitleChanged,
  message_added: messageAdded,
  message_completed: messageCompleted,
  chat_response_error: chatResponseError,
  thread_load_error: threadLoadError,
  turn_cancelled: turnCancelled,
  ui_state_response: uiStateResponse,
  permission_requested: permissionRequested,
  permission_resolved: permissionResolved,
} as const;

/** The names of the events. */
export type SyncEventType = keyof typeof eventSchemas;

/** The event of this name; without a name any event. Discriminated by `event_type`. */
export type SyncEvent<Name extends SyncEventType = SyncEventType> = {
  [K in Name]: z.output<(typeof eventSchemas)[K]>;
}[Name];

function event<const Name extends string, Data extends z.ZodObject>(
  name: Name,
  data: Data,
): z.ZodObject<{ event_type: z.ZodLiteral<Name>; data: Data }> {
  return z.object({ event_type: z.literal(name), data });
}
