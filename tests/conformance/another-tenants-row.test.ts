// The strictest reading of "another tenant's row and an absent row are one answer": somebody else asks for one and the
// same id, first while it exists and then after its owner has deleted it, and gets the same bytes. Threads and instances
// stay known to their owner after they have ended; there the answer is compared with that to an id of nothing.

import type { DescMethod } from "@bufbuild/protobuf";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { ourServices } from "@helix-zed/harness/our-services.ts";
import { RestClient } from "@helix-zed/harness/rest-client.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entries, type Entry, type Target } from "../security/authorization-entries.ts";
import { type RawAnswer, rawAnswers, withoutIds } from "./raw-answer.ts";

const methods = (await ourServices()).flatMap((service) => service.methods);

/** RPCs that ask for something by its id, of one package. */
function asking(prefix: string): readonly (readonly [string, DescMethod, Entry])[] {
  return methods.flatMap((method) => {
    const name = `${method.parent.typeName}/${method.name}`;
    const entry = entries[name];
    return name.startsWith(prefix) && entry !== undefined && entry.absent !== null
      ? [[name, method, entry] as const]
      : [];
  });
}

let cluster: Cluster;
let owner: RestClient;
let inEditor: Target;
const zeros = "0".repeat(32);
const nowhere: Target = { taskId: `tsk_${zeros}`, sessionId: `ws_${zeros}`, instanceId: `zed_${zeros}`, epoch: 1n };

beforeAll(async () => {
  cluster = await startCluster();
  owner = new RestClient(cluster.gatewayUrl, cluster.token("local"));
  const { epoch, ...task } = await makeTask({ project_path: cluster.makeRepository("mine") });
  const instanceId = await eventually("the task has an instance", async () => {
    const { body } = await owner.get(`/api/v1/zed-instances?task_id=${task.taskId}`);
    return body["zed_instances"]?.[0]?.["id"];
  });
  inEditor = { ...task, instanceId, epoch };
}, 60_000);

afterAll(() => cluster.stop());

function askAsSomebodyElse(
  method: DescMethod,
  entry: Entry,
  target: Target,
): Promise<Readonly<Record<string, RawAnswer>>> {
  const user = { authorization: `Bearer ${cluster.token("other")}` };
  const runner = { authorization: `Bearer ${cluster.token("zed-bridge")}`, "helix-user-id": "somebody-else" };
  const headers = entry.caller === "runner" ? runner : user;
  const serviceUrl = method.parent.typeName.startsWith("helix.zed.") ? cluster.bridgeUrl : cluster.taskUrl;
  return rawAnswers(
    { method, request: entry.request(target), headers },
    { serviceUrl, gatewayUrl: cluster.gatewayUrl },
  );
}

async function makeTask(more: object): Promise<Target> {
  const { body: task } = await owner.post("/api/v1/tasks", { name: "Mine", task_type: "coding_session", ...more });
  const { body } = await owner.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
  return { taskId: task["id"], sessionId: body["work_sessions"][0]["id"], instanceId: `zed_${zeros}`, epoch: 1n };
}

function idsOf({ taskId, sessionId, instanceId }: Target): string[] {
  return [taskId, sessionId, instanceId];
}

function expectRefusals(answers: Readonly<Record<string, RawAnswer>>, reason: string | null): void {
  for (const [door, text] of Object.entries(withoutIds(answers, []))) expect(text, door).toContain(reason);
}

describe("what is another tenant's, asked for byte by byte", () => {
  test.each(asking("helix.task.v1."))(
    "is what does not exist, over every protocol: %s",
    async (_name, method, entry) => {
      const target = await makeTask({ work_sessions: [{ name: "a", agent_type: "simple" }] });
      const whileItExists = await askAsSomebodyElse(method, entry, target);
      expectRefusals(whileItExists, entry.absent);
      expect(await owner.get(`/api/v1/tasks/${target.taskId}`)).toMatchObject({ status: 200 });
      expect(await owner.delete(`/api/v1/tasks/${target.taskId}`)).toMatchObject({ status: 200 });
      expect(await askAsSomebodyElse(method, entry, target)).toEqual(whileItExists);
    },
  );

  test.each(asking("helix.zed.v1."))(
    "differs from what does not exist in its id alone: %s",
    async (_name, method, entry) => {
      const answers = await askAsSomebodyElse(method, entry, inEditor);
      expectRefusals(answers, entry.absent);
      const absent = await askAsSomebodyElse(method, entry, nowhere);
      expect(withoutIds(answers, idsOf(inEditor))).toEqual(withoutIds(absent, idsOf(nowhere)));
    },
  );
});
