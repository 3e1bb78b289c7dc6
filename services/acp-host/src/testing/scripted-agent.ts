import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import {
  agent,
  methods,
  ndJsonStream,
  RequestError,
  type AgentContext,
  type StopReason,
} from "@agentclientprotocol/sdk/unstable";
import { hostileBehaviours } from "./hostile-behaviours.ts";

// An ACP agent that does, in a real process of its own, what real agents do when
// things go wrong. The prompt says what: see `behaviours`, and `hostileBehaviours`
// for what no agent should do. What is said in its sessions is kept as lines of a file
// in its home, so that it survives the agent: `>` begins what it has said itself.
//
// Its first argument may be a way to fail: `dies` at once, `no-session` opens
// none, `no-mcp` takes no MCP servers, `no-load` cannot load, `forgets` loads nothing, `denies` knows no session.

const failure = process.argv[2] ?? "";
if (failure === "dies") {
  process.stderr.write(`cannot go on with key ${process.env["SCRIPTED_KEY"]}\n`);
  process.exit(3);
}

const history = join(process.env["HOME"] ?? "", "history.txt");
const cancelled = new Map<string, PromiseWithResolvers<void>>();
/** The MCP servers that each session was given. */
const servers = new Map<string, readonly object[]>();

export interface Turn {
  readonly sessionId: string;
  readonly client: AgentContext;
  readonly cancelled: Promise<void>;
  readonly say: (text: string) => Promise<void>;
  readonly update: (update: object) => Promise<void>;
}

let asked = 0;

const behaviours: Readonly<Record<string, (turn: Turn) => Promise<StopReason>>> = {
  ...hostileBehaviours,
  "think aloud": async ({ update, say }) => {
    await update({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "hm" } });
    await say("so");
    await update({ sessionUpdate: "tool_call", toolCallId: "t", title: "ls", kind: "execute", status: "in_progress" });
    const output = { terminal_output: { terminal_id: "t", data: "a.md\n" } };
    await update({ sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed", _meta: output });
    return "end_turn";
  },
  "run out of tokens": async ({ say }) => (await say("half"), "max_tokens"),
  "run out of requests": async () => "max_turn_requests",
  refuse: async () => "refusal",
  "ask first": async ({ sessionId, client, say }) => {
    const { outcome } = await client.request(methods.client.session.requestPermission, {
      sessionId,
      toolCall: { toolCallId: `asks-${(asked += 1)}`, title: "rm -rf .", kind: "execute", status: "pending" },
      options: [
        { optionId: "no", name: "No", kind: "reject_once" },
        { optionId: "always", name: "Always", kind: "allow_always" },
        { optionId: "once", name: "Once", kind: "allow_once" },
      ],
    });
    await say(outcome.outcome === "selected" ? outcome.optionId : outcome.outcome);
    return "end_turn";
  },
  "wait for cancel": async ({ say, cancelled: wasCancelled }) => {
    await say("working");
    await wasCancelled;
    await say(", late");
    return "cancelled";
  },
  "ignore cancel": async ({ say }) => {
    await say("deaf");
    return new Promise<never>(() => undefined);
  },
  "name servers": async ({ sessionId, say }) => (await say(JSON.stringify(servers.get(sessionId))), "end_turn"),
  die: async () => process.exit(7),
};

function record(line: string): void {
  appendFileSync(history, `${line}\n`);
}

function linesOf(sessionId: string): string[] {
  const lines = existsSync(history) ? readFileSync(history, "utf8").split("\n") : [];
  return lines.filter((line) => line.startsWith(`${sessionId} `)).map((line) => line.slice(sessionId.length + 1));
}

let sessions = 0;

agent({ name: "scripted" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentInfo: { name: "scripted-agent", version: "1" },
    agentCapabilities: { loadSession: failure !== "no-load", mcpCapabilities: { http: failure !== "no-mcp" } },
  }))
  .onRequest(methods.agent.session.new, ({ params: { mcpServers } }) => {
    if (failure === "no-session") throw new RequestError(-32000, "Authentication required");
    sessions += 1;
    const sessionId = `s-${process.pid}-${sessions}`;
    servers.set(sessionId, mcpServers);
    return { sessionId };
  })
  .onRequest(methods.agent.session.setMode, ({ params }) => {
    if (params.modeId !== "plan") throw RequestError.invalidParams({ details: `no mode ${params.modeId}` });
  })
  .onRequest(methods.agent.session.load, async ({ params: { sessionId, mcpServers }, client }) => {
    if (failure === "denies") throw RequestError.resourceNotFound(sessionId);
    servers.set(sessionId, mcpServers);
    const lines = failure === "forgets" ? [] : linesOf(sessionId);
    for (const line of lines) {
      const [sessionUpdate, text] = line.startsWith(">")
        ? (["agent_message_chunk", line.slice(1)] as const)
        : (["user_message_chunk", line] as const);
      const update = { sessionUpdate, content: { type: "text", text } } as const;
      await client.notify(methods.client.session.update, { sessionId, update });
    }
  })
  .onNotification(methods.agent.session.cancel, ({ params }) => cancelled.get(params.sessionId)?.resolve())
  .onRequest(methods.agent.session.prompt, async ({ params: { sessionId, prompt }, client }) => {
    const [first] = prompt;
    const text = first?.type === "text" ? first.text : "";
    record(`${sessionId} ${text}`);
    const cancel = Promise.withResolvers<void>();
    cancelled.set(sessionId, cancel);
    const update = (change: object): Promise<void> => client.notify("session/update", { sessionId, update: change });
    const say = (words: string): Promise<void> => {
      if (words.length < 1_000) record(`${sessionId} >${words}`);
      return update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: words } });
    };
    const behave = behaviours[text] ?? (async () => (await say(`heard ${text}`), "end_turn" as const));
    return { stopReason: await behave({ sessionId, client, cancelled: cancel.promise, say, update }) };
  })
  .connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
