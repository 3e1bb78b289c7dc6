import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findAgent } from "../application/find-agent.ts";
import { grantEditorAccess } from "../application/grant-agent-access.ts";
import { closeThread } from "../application/close-thread.ts";
import { openThread } from "../application/open-thread.ts";
import { redact } from "../domain/redact.ts";
import { claimSession, openApp } from "../testing/bridge-app.ts";
import { McpStage, tokenIn } from "../testing/mcp-stage.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";

let stage: McpStage;

beforeAll(async () => {
  stage = await McpStage.open();
});

afterAll(() => stage.close());

const find = (token: string) => findAgent(stage.app, token);

describe("an agent's token", () => {
  test("comes with the message that begins its thread, with the address to call", async () => {
    const { workSessionId, instanceId } = await claimSession(stage.app);
    const editor = new ScriptedEditor(stage.app, instanceId);
    await editor.start();
    const { mcp_servers: servers } = await editor.takeOne("chat_message");
    expect(servers).toEqual([
      {
        name: "helix",
        url: stage.url,
        headers: [{ name: "Authorization", value: expect.stringMatching(/^Bearer hzs_[\w-]{43}$/) }],
      },
    ]);
    expect(await find(tokenIn(servers))).toMatchObject({ session: { workSessionId }, actor: { userId: "ann" } });
  });

  test("stands for its own session and no other of the same editor", async () => {
    const taskId = stage.app.world.newId("tsk");
    const first = await stage.agent({ taskId });
    const second = await claimSession(stage.app, { taskId });
    expect(second.instanceId).toBe(first.session.instanceId);
    const { mcp_servers: servers } = await first.editor.takeOne("chat_message");
    expect((await find(first.token))?.session?.workSessionId).toBe(first.session.workSessionId);
    expect((await find(tokenIn(servers)))?.session?.workSessionId).toBe(second.workSessionId);
  });

  test("is kept as a hash only", async () => {
    const { token } = await stage.agent();
    const rows = await stage.app.database.transact(({ em }) => em.execute<object[]>("select * from agent_tokens"));
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(JSON.stringify(rows)).not.toContain(token.slice(4));
  });

  test("is taken out of everything that is stored, whoever's it is", async () => {
    const { token } = await stage.agent();
    expect(redact(`x${token}y`, { texts: [], tokenHash: null })).toBe("x[redacted]y");
  });

  test("is good for any bridge on the database, also one that has just begun", async () => {
    const { token, session } = await stage.agent();
    const other = await openApp(stage.bridge.databaseUrl);
    expect((await findAgent(other, token))?.session?.workSessionId).toBe(session.workSessionId);
    await other.database.close();
  });

  test("outlives a lost link, after which no other is made for a thread that is known to have it", async () => {
    const { token, editor, request } = await stage.agent();
    await editor.threadCreated(request, "thread-1");
    await editor.disconnect();
    await editor.connect();
    expect(await editor.takeOne("open_thread")).not.toHaveProperty("mcp_servers");
    expect(await find(token)).not.toBeNull();
  });

  test("is made anew where the command that carried it may have been lost, and both are good", async () => {
    const { token, editor } = await stage.agent();
    await editor.disconnect();
    await editor.connect();
    await stage.app.database.transact(({ em }) =>
      em.execute("update turns set status = 'queued' where status = 'sent'"),
    );
    const again = tokenIn((await editor.takeOne("chat_message")).mcp_servers);
    expect(again).not.toBe(token);
    expect(await find(token)).not.toBeNull();
    expect(await find(again)).not.toBeNull();
  });

  test("is good for one launch: the next has another, and the first is good no more", async () => {
    const { token, editor, request } = await stage.agent();
    await editor.threadCreated(request, "thread-1");
    await editor.crash();
    expect(await find(token)).toBeNull();
    await stage.app.database.transact(({ em }) => em.execute("update zed_instances set next_launch_at = null"));
    await editor.start();
    const next = tokenIn((await editor.takeOne("open_thread")).mcp_servers);
    expect(await find(token)).toBeNull();
    expect(await find(next)).not.toBeNull();
  });

  test("ends with its thread", async () => {
    const { token, session } = await stage.agent();
    await closeThread(stage.app, { workSessionId: session.workSessionId, reason: "cancelled" });
    expect(await find(token)).toBeNull();
  });

  test("ends when another bridge takes the session over", async () => {
    const { token, session } = await stage.agent();
    const { workSessionId } = session;
    await openThread(stage.app, {
      workSession: { id: workSessionId, taskId: "", userId: "", organizationId: "", agentType: "zed_agent", name: "" },
      leaseEpoch: 2n,
      firstPrompt: "",
      projectPath: "/",
      onTurnEnd: "idle",
      runner: "another-bridge",
    });
    expect(await find(token)).toBeNull();
  });

  test("is nobody's if it was made up, cut, or is an editor's own", async () => {
    const { token, session } = await stage.agent();
    const forged = `hzs_${stage.app.world.newSecret()}`;
    for (const wrong of [forged, "", token.slice(0, -1), `${token}x`, token.slice(4), session.workSessionId, "hzs_"]) {
      expect(await find(wrong)).toBeNull();
    }
  });
});

/** A session whose editor is a Zed that was just launched. */
async function zed(taskId = stage.app.world.newId("tsk")) {
  const session = await claimSession(stage.app, { taskId });
  const editor = new ScriptedEditor(stage.app, session.instanceId);
  await editor.launch();
  const { instanceId } = session;
  const access = await grantEditorAccess(stage.app, { instanceId, launch: 1 });
  return { taskId, session, editor, token: tokenIn(access === null ? [] : [access]) };
}

describe("an editor's token, for a Zed that is told by its settings", () => {
  test("stands for the only session of the editor", async () => {
    const { token, session } = await zed();
    expect((await find(token))?.session?.workSessionId).toBe(session.workSessionId);
  });

  test("stands for the one that has a turn, where there are several", async () => {
    const { token, session, taskId, editor } = await zed();
    await editor.connect();
    const { request_id: request } = await editor.takeOne("chat_message");
    await claimSession(stage.app, { taskId });
    expect((await find(token))?.session).toMatchObject({ workSessionId: session.workSessionId, turnId: request });
  });

  test("stands for nobody while that is not clear", async () => {
    const { token, taskId, editor } = await zed();
    await claimSession(stage.app, { taskId });
    expect(await find(token)).toMatchObject({ session: null, taskId });
    await editor.connect();
    expect(await editor.take()).toHaveLength(2);
    expect(await find(token)).toMatchObject({ session: null, taskId });
  });

  test("is not made for a launch that is over", async () => {
    const { session, editor } = await zed();
    await editor.crash();
    expect(await grantEditorAccess(stage.app, { instanceId: session.instanceId, launch: 0 })).toBeNull();
  });
});
