import type { SyncEvent, SyncEventType } from "@helix-zed/sync-protocol";

/** What Zed says. Our own hosts say more. */
export type ZedEventType = Exclude<SyncEventType, "permission_requested" | "permission_resolved">;

/** An event with everything that a test does not care about filled in. */
export function eventOf<Type extends ZedEventType>(
  event_type: Type,
  data: Partial<SyncEvent<Type>["data"]>,
): SyncEvent<Type> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the defaults are complete, and `data` is of this type
  return { event_type, data: { ...blank[event_type], ...data } } as SyncEvent<Type>;
}

const blank: { readonly [Type in ZedEventType]: SyncEvent<Type>["data"] } = {
  ping: { timestamp: 0 },
  agent_ready: { agent_name: "zed-connection", thread_id: null },
  thread_created: { acp_thread_id: "thread-1", request_id: "" },
  user_created_thread: { acp_thread_id: "thread-1", title: null },
  thread_title_changed: { acp_thread_id: "thread-1", title: "" },
  message_added: {
    acp_thread_id: "thread-1",
    message_id: "1",
    role: "assistant",
    content: "",
    request_id: "",
    entry_type: "text",
    tool_name: "",
    tool_status: "",
    timestamp: 0,
  },
  message_completed: {
    acp_thread_id: "thread-1",
    message_id: "0",
    request_id: "",
    agent_name: "zed-agent",
    usage: null,
  },
  chat_response_error: { request_id: "", error: "" },
  thread_load_error: { acp_thread_id: "thread-1", request_id: "", error: "" },
  turn_cancelled: { request_id: "", status: "cancelled" },
  ui_state_response: {
    query_id: "",
    active_view: "headless",
    thread_id: null,
    entry_count: 0,
    mcp_servers: {},
    active_model: null,
  },
};
