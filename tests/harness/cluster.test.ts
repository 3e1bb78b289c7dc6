import { describe, expect, test } from "vitest";
import { startCluster } from "./cluster.ts";

describe("a cluster", () => {
  test("serves, survives the loss of a process at the same port, and leaves nothing behind", async () => {
    await using cluster = await startCluster();
    const list = () => fetch(`${cluster.gatewayUrl}/api/v1/tasks`, { headers: authorization(cluster.token("local")) });
    expect(await list().then((response) => response.json())).toEqual({ tasks: [], next_page_token: "" });
    for (const name of ["task-service", "gateway"] as const) await cluster.service(name).restart("SIGKILL");
    expect((await list()).status).toBe(200);
  });
});

function authorization(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
