// Commands: what a server says to an editor
//
//   {"type": string, "data": object}
//
// An editor ignores unknown types and unknown keys without a word, and drops a chat message whose role is "user": so the
// types here have no role, and the parser tells such a message apart. It does not recognise a request id that it has seen
// before: the same chat message twice makes two turns.
//
// Our own hosts understand more than an editor does, which takes no notice of it: how the agent's session is to be set up
// (`model`, `mode`, `permission_policy`, `mcp_servers`), which attempt of a request this is, and answers to requests for
// permission.
import { z } from "zod";
import { mcpServers } from "./mcp-server.ts";
import { id, idOrEmpty, idOrNull, prompt } from "./wire-text.ts";

/** An agent's name on the wire. `""` is a name like any other, which no agent has: leave it out instead. */
const agentName = z
  .string()
  .nullish()
  .transform((value) => value ?? null);

/** What becomes of an agent's requests for permission. */
export const permissionPolicies = ["allow", "ask", "reject"] as const;

/** One of {@link permissionPolicies}. */
export type PermissionPolicy = (typeof permissionPolicies)[number];

/** How the agent's session of a thread is set up where it is created or loaded; `null`: as the agent is configured. */
const sessionSettings = {
  model: idOrNull,
  mode: idOrNull,
  permission_policy: z
    .enum(permissionPolicies)
    .nullish()
    .transform((value) => value ?? null),
  mcp_servers: mcpServers,
};

const chat = z.object({
  message: prompt,
  /** The correlation id, chosen by the server. */
  request_id: id,
  /** `null`: in a new thread. */
  acp_thread_id: idOrNull,
  /** `null`: the editor's own agent, or the one that the thread has. */
  agent_name: agentName,
  /** Stop the turn that runs in the thread first. */
  interrupt: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  /** Counts the times that this request was handed over: a repeated frame is not run again, a further attempt is. */
  attempt: z
    .number()
    .int()
    .min(1)
    .nullish()
    .transform((value) => value ?? 1),
  ...sessionSettings,
});

/** Says something to an agent, in a thread or in a new one. */
const chatMessage = command("chat_message", chat);

/** As if typed in the editor: the message itself comes back as an entry. */
const simulateUserInput = command("simulate_user_input", chat);

/** Loads a thread. Without a request id nothing is heard of a failure. */
const openThread = command(
  "open_thread",
  z.object({ acp_thread_id: id, request_id: idOrEmpty, agent_name: agentName, ...sessionSettings }),
);

/** Stops the turn that runs in the thread that this request was sent to, whichever turn that is by now. */
const cancelCurrentTurn = command("cancel_current_turn", z.object({ request_id: idOrEmpty }));

/** Asks what the editor shows. */
const queryUiState = command("query_ui_state", z.object({ query_id: idOrEmpty }));

/** Answers a request for permission. Without an option the request is withdrawn. Only our own hosts understand it. */
const answerPermission = command("answer_permission", z.object({ permission_id: id, option_id: idOrNull }));

/** Every command, by the name on the wire. */
export const commandSchemas = {
  chat_message: chatMessage,
  simulate_user_input: simulateUserInput,
  open_thread: openThread,
  cancel_current_turn: cancelCurrentTurn,
  query_ui_state: queryUiState,
  answer_permission: answerPermission,
} as const;

/** The names of the commands. */
export type SyncCommandType = keyof typeof commandSchemas;

/** The command of this name; without a name any command. Discriminated by `type`. */
export type SyncCommand<Name extends SyncCommandType = SyncCommandType> = {
  [K in Name]: z.output<(typeof commandSchemas)[K]>;
}[Name];

function command<const Name extends string, Data extends z.ZodObject>(
  name: Name,
  data: Data,
): z.ZodObject<{ type: z.ZodLiteral<Name>; data: Data }> {
  return z.object({ type: z.literal(name), data });
}
