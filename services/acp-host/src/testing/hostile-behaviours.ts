import type { StopReason } from "@agentclientprotocol/sdk/unstable";
import type { Turn } from "./scripted-agent.ts";

const lineOfLog = `${"x".repeat(199)}\n`;

/** What no agent should do, by the prompt that asks for it. Each says `still here` when it is done. */
export const hostileBehaviours: Readonly<Record<string, (turn: Turn) => Promise<StopReason>>> = {
  "talk nonsense": async ({ say }) => {
    for (const line of ["no JSON at all", "[]", '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":99,"result":{}}', ""]) {
      process.stdout.write(`${line}\n`);
    }
    return (await say("still here"), "end_turn");
  },
  "send odd updates": async ({ update, say }) => {
    await update({ sessionUpdate: "brand_new", anything: { at: ["all"] } });
    await update({ sessionUpdate: "tool_call" });
    await update({ sessionUpdate: "tool_call_update", toolCallId: "never announced", status: "dancing" });
    await update({ sessionUpdate: "agent_message_chunk", content: { type: "smell", intensity: 7 } });
    await update({ sessionUpdate: "agent_message_chunk" });
    return (await say("still here"), "end_turn");
  },
  "end oddly": async ({ say }) => {
    await say("still here");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- deliberately none of the reasons that there are
    return "because" as StopReason;
  },
  "flood the log": async ({ say }) => {
    for (let written = 0; written < 100_000; written++) process.stderr.write(lineOfLog);
    return (await say("still here"), "end_turn");
  },
  "talk without end": async ({ say, update }) => {
    const piece = "y".repeat(100_000);
    for (let said = 0; said < 60; said++) await say(piece);
    await update({ sessionUpdate: "tool_call", toolCallId: "t", title: "ls", kind: "execute", status: "completed" });
    return (await say("still here"), "end_turn");
  },
  "use a thousand tools": async ({ say, update }) => {
    for (let used = 0; used < 1_000; used++) {
      const call = { toolCallId: `t${used}`, title: `ls ${used}`, kind: "execute", status: "completed" };
      await update({ sessionUpdate: "tool_call", ...call });
    }
    return (await say("still here"), "end_turn");
  },
  "write a line without end": async ({ say }) => {
    const piece = "z".repeat(1024 * 1024);
    for (let written = 0; written < 65; written++) process.stdout.write(piece);
    return (await say("still here"), "end_turn");
  },
  "close its mouth": async () => {
    process.stdout.end();
    return new Promise<never>(() => undefined);
  },
};
