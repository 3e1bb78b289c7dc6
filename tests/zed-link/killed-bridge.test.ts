// A bridge that is a process, and is killed without warning while an agent is at work: once with the agent waiting, once
// with all that it says and its end coming while there is no bridge.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type AgentScript, hold, say } from "@helix-zed/harness/fake-zed/agent-plan.ts";
import { FakeZed } from "@helix-zed/harness/fake-zed/fake-zed.ts";
import { fastWorld } from "@helix-zed/harness/fake-zed/zed-world.ts";
import { freePort } from "@helix-zed/harness/free-port.ts";
import { mustBeGoneAfterFile } from "@helix-zed/harness/leaks.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import { describe, expect, test } from "vitest";
import { sendMessage } from "../../services/zed-bridge/src/application/send-message.ts";
import { claimSession, launchToken, openBridgeApp } from "../../services/zed-bridge/src/testing/bridge-app.ts";
import { ann, transcriptOf, turnsOf } from "../../services/zed-bridge/src/testing/read-thread.ts";

const KILLS = sized({ normal: 4, full: 30 });
const RUNNER = "bridge-to-kill";
const PATIENCE_MS = 60_000;
const PROGRAM = path.join(import.meta.dirname, "kit/bridge-program.ts");

const script: AgentScript = ({ message }) => [say(`${message} a`), hold(message), say(" b")];

async function startBridge(databaseUrl: string, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, databaseUrl, String(port), RUNNER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  mustBeGoneAfterFile({
    remains: async () => (child.exitCode === null && child.signalCode === null ? "a bridge that runs" : undefined),
    discard: async () => void child.kill("SIGKILL"),
  });
  const ended = once(child, "exit").then(() => {
    throw new Error("The bridge ended at its start.");
  });
  ended.catch(() => {});
  await Promise.race([once(child.stdout, "data"), ended]);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  if (child.signalCode === null) await once(child, "exit");
}

describe("a bridge that is killed again and again", () => {
  test(
    "finishes every turn once, with all that was said, in the thread that it had",
    async () => {
      const opened = await openBridgeApp({ launchTarget: "zed-headless" });
      const { app, databaseUrl } = opened;
      const session = await claimSession(app, { runner: RUNNER, firstPrompt: "0" });
      const token = await launchToken(app, session.instanceId);
      const port = await freePort();
      let bridge = await startBridge(databaseUrl, port);
      const world = fastWorld(20);
      const { instanceId } = session;
      const zed = FakeZed.start({ address: `127.0.0.1:${port}`, instanceId, token, world, script });
      const transcript = (): Promise<string[]> => transcriptOf(app, session.workSessionId);
      for (let turn = 0; turn < KILLS; turn++) {
        if (turn > 0) {
          await sendMessage(app, ann, { ...session, message: `${turn}`, interrupt: false, requestId: `${turn}` });
        }
        const begun = `assistant: ${turn} a`;
        await eventually(begun, async () => (await transcript()).at(-1) === begun, PATIENCE_MS);
        await kill(bridge);
        if (turn % 2 === 0) zed.release(`${turn}`);
        bridge = await startBridge(databaseUrl, port);
        zed.release(`${turn}`);
        const ended = `completed ${turn + 1}`;
        const done = Array.from({ length: turn + 1 }, () => "completed").join();
        await eventually(ended, async () => (await turnsOf(app, session.workSessionId)).join() === done, PATIENCE_MS);
      }
      const turns = Array.from({ length: KILLS }, (_, turn) => [`user: ${turn}`, `assistant: ${turn} a b`]);
      expect(await transcript()).toEqual(turns.flat());
      expect(zed.data.records.map(({ message }) => message)).toEqual(turns.map((_, turn) => `${turn}`));
      expect(zed.data.threads.size).toBe(1);
      await zed.quit();
      await kill(bridge);
      await opened.close();
    },
    sized({ normal: 300_000, full: 1_200_000 }),
  );
});
