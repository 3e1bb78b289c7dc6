import { TaskStatus } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { describe, expect, test } from "vitest";
import { askedForever, goodToken as good, startEdge, watchedForever } from "../testing/edge-server.ts";

describe("REST", () => {
  test("answers with the resource, in the names that are stored", async () => {
    await using gateway = await startEdge({
      tasks: { getTask: ({ id }) => ({ task: { id, status: TaskStatus.PENDING } }) },
    });
    const response = await fetch(`${gateway.url}/api/v1/tasks/tsk_1`, { headers: good });
    expect(await response.json()).toMatchObject({ id: "tsk_1", status: "pending", priority: 0 });
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
  });

  test("refuses as the services do, and names the allowed values", async () => {
    await using gateway = await startEdge({ tasks: { updateTaskStatus: () => ({}) } });
    const response = await fetch(`${gateway.url}/api/v1/tasks/tsk_1/status`, {
      method: "PUT",
      headers: { ...good, "content-type": "application/json" },
      body: '{"status":"done"}',
    });
    expect(response.status).toBe(400);
    const message = 'status: must be one of pending, active, completed, failed, cancelled; got "done"';
    expect(await response.json()).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT", message } });
  });

  test("watches over server-sent events, which end when the gateway stops", async () => {
    const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
    await using gateway = await startEdge({ tasks: watchedForever(begun) });
    const response = await fetch(`${gateway.url}/api/v1/tasks:watch`, { headers: good });
    await hasBegun;
    gateway.edge.drain();
    const body = await response.text();
    expect(body).toMatch(/^id: 1\ndata: /);
    expect(body).toContain("event: error");
    expect(body).toContain("SERVER_DRAINING");
  });

  test("says that a service is out of reach, and when to try again", async () => {
    await using gateway = await startEdge();
    await gateway.toTaskService.cut();
    const response = await fetch(`${gateway.url}/api/v1/tasks/tsk_1`, { headers: good });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(JSON.stringify(await response.json())).toContain("UPSTREAM_UNAVAILABLE");
  });

  test.each(["close", "reset"] as const)("says so too when the service dies unanswered (%s)", async (how) => {
    const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
    await using gateway = await startEdge({ tasks: askedForever(begun) });
    const answer = fetch(`${gateway.url}/api/v1/tasks/tsk_1`, { headers: good });
    await hasBegun;
    await gateway.toTaskService.cut(how);
    const response = await answer;
    expect(response.status).toBe(503);
    expect(JSON.stringify(await response.json())).toContain("UPSTREAM_UNAVAILABLE");
  });

  test("needs a token, and says which kind", async () => {
    await using gateway = await startEdge({ tasks: { getTask: () => ({}) } });
    const response = await fetch(`${gateway.url}/api/v1/tasks/tsk_1`);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
  });
});

describe("health", () => {
  test("is alive whatever stands behind it, and ready when all of that serves", async () => {
    await using gateway = await startEdge();
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${gateway.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({
      status: "ok",
      services: { "task-service": "serving", "zed-bridge": "serving" },
    });
    await gateway.toTaskService.cut();
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    const notReady = await fetch(`${gateway.url}/readyz`);
    expect(notReady.status).toBe(503);
    expect(await notReady.json()).toMatchObject({ services: { "task-service": "not serving" } });
  });

  test("is not ready once it stops", async () => {
    await using gateway = await startEdge();
    gateway.edge.drain();
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  });
});

describe("other origins", () => {
  const app = "https://app.example.com";
  const preflight = { method: "OPTIONS", headers: { origin: app, "access-control-request-method": "POST" } };

  test("may call when they are listed", async () => {
    await using gateway = await startEdge({ corsOrigins: [app] });
    const asked = await fetch(`${gateway.url}/helix.task.v1.TaskService/GetTask`, preflight);
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(app);
    expect(asked.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("authorization");
    const called = await fetch(`${gateway.url}/api/v1/nope`, { headers: { origin: app } });
    expect(called.headers.get("access-control-allow-origin")).toBe(app);
    expect(called.headers.get("vary")).toBe("origin");
  });

  test("may not otherwise", async () => {
    await using gateway = await startEdge({ corsOrigins: ["https://other.example.com"] });
    const asked = await fetch(`${gateway.url}/api/v1/tasks`, preflight);
    expect(asked.headers.has("access-control-allow-origin")).toBe(false);
  });
});

describe("the dashboard", () => {
  test("is served with nothing inline allowed", async () => {
    await using gateway = await startEdge();
    const page = await fetch(`${gateway.url}/`);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
    expect(await page.text()).not.toMatch(/<script>|<style|style=|onclick=/);
    expect((await fetch(`${gateway.url}/app.js`)).headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  });

  test("is not sent again when nothing changed", async () => {
    await using gateway = await startEdge();
    const etag = (await fetch(`${gateway.url}/`)).headers.get("etag") ?? "";
    expect((await fetch(`${gateway.url}/`, { headers: { "if-none-match": etag } })).status).toBe(304);
  });

  test("has no other files, whatever the path says", async () => {
    await using gateway = await startEdge();
    for (const path of ["/index.html", "/package.json", "/%2e%2e/package.json", "/..%2fREADME.md", "//", "/app.js/"]) {
      expect((await fetch(gateway.url + path)).status).toBe(404);
    }
  });
});
