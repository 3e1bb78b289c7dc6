import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runner } from "../testing/bridge-app.ts";
import { ann } from "../testing/read-thread.ts";
import { Stage } from "../testing/stage.ts";
import { listInstances } from "./list-instances.ts";
import { recordExit } from "./record-exit.ts";
import { stopIdleInstances } from "./stop-idle-instances.ts";
import { getZedInstance } from "./zed-instances.ts";

const HALF_AN_HOUR_MS = 30 * 60 * 1_000;
const stage = new Stage();

beforeAll(() => stage.open());
afterAll(() => stage.close());

/** A session with nothing to do. */
beforeEach(async () => {
  await stage.begin();
  await stage.editor.answer(await stage.editor.beginThread(), "Hello");
});

const instance = () => getZedInstance(stage.app, ann, { id: stage.session.instanceId });

async function pass(durationMs: number): Promise<void> {
  stage.world.pass(durationMs);
  await stopIdleInstances(stage.app, { runner });
}

describe("an instance with nothing to do", () => {
  test("is stopped after its time, and its thread stays", async () => {
    await pass(HALF_AN_HOUR_MS);
    expect(await instance()).toMatchObject({ desired: "running" });
    await pass(1);
    expect(await instance()).toMatchObject({ desired: "stopped", statusReason: "IDLE" });
    await stage.editor.endWithBridge();
    expect(await instance()).toMatchObject({ status: "stopped", statusReason: "IDLE", restartCount: 0 });
    expect((await stage.thread()).mapping).toMatchObject({ status: "disconnected", zedThreadId: "thread-1" });
    expect(await stage.turns()).toEqual(["completed"]);
    expect(await listInstances(stage.app, { runner })).not.toContainEqual(
      expect.objectContaining({ id: stage.session.instanceId }),
    );
  });

  test("is brought back by a message, opens its thread first, and is asked nothing twice", async () => {
    await pass(HALF_AN_HOUR_MS + 1);
    await stage.editor.endWithBridge();
    await stage.send("More");
    expect(await instance()).toMatchObject({ desired: "running", status: "starting" });
    await stage.editor.start();
    expect(await stage.editor.takeOne("open_thread")).toMatchObject({ acp_thread_id: "thread-1" });
    await stage.editor.ready("thread-1");
    expect(await stage.editor.takeOne("chat_message")).toMatchObject({ message: "More", acp_thread_id: "thread-1" });
  });

  test("is not stopped while a turn runs or waits, however long", async () => {
    await stage.send("More");
    await stage.editor.takeOne("chat_message");
    await pass(10 * HALF_AN_HOUR_MS);
    expect(await instance()).toMatchObject({ desired: "running" });
  });

  test("whose stop a message overtakes is started again at once, and that counts as no failure", async () => {
    await pass(HALF_AN_HOUR_MS + 1);
    await stage.send("More");
    const { id, launchCount: launch } = await instance();
    await recordExit(stage.app, { instanceId: id, launch, reason: "killed by SIGTERM", logLines: [], planned: true });
    expect(await instance()).toMatchObject({ desired: "running", restartCount: 0, nextLaunchAt: null });
    await stage.editor.start();
  });

  test("is not started again, nor its thread prompted, when it ends by itself while nobody wants it", async () => {
    await pass(HALF_AN_HOUR_MS + 1);
    await stage.editor.crash();
    expect(await instance()).toMatchObject({ status: "stopped", restartCount: 0 });
    await expect(stage.editor.launch()).rejects.toThrow("no launch is wanted");
  });

  test("is kept for ever where it is to be", async () => {
    stage.world.pass(10 * HALF_AN_HOUR_MS);
    const app = { ...stage.app, limits: { ...stage.app.limits, idleStopMs: null } };
    expect(await stopIdleInstances(app, { runner })).toBe(0);
  });
});
