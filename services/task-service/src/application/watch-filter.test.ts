import { sized } from "@helix-zed/harness/test-size.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conditionOf } from "../domain/filter/filter-condition.ts";
import { type Fields, taskFields, workSessionFields } from "../domain/filter/filter-fields.ts";
import { printFilter } from "../domain/filter/print-filter.ts";
import { anyFilter } from "../testing/any-filter.ts";
import { person, runner, TestApp } from "../testing/test-app.ts";
import { claimWorkSession } from "./claim-work-session.ts";
import { deleteTask } from "./delete-task.ts";
import { listTasks } from "./list-tasks.ts";
import { releaseWorkSession } from "./release-work-session.ts";
import { updateTaskStatus } from "./update-task-status.ts";
import type { WatchMessage } from "./watch.ts";
import { watchTasks } from "./watch-tasks.ts";
import { watchWorkSessions } from "./watch-work-sessions.ts";

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.open();
});
afterAll(() => app.close());

function condition(text: string, fields: Fields = taskFields) {
  const found = conditionOf(text, fields, { filterCharsMax: 100_000, filterTermsMax: 1_000 });
  if (found === null) throw new Error("The filter is empty.");
  return found;
}

function wordFor({ event }: WatchMessage): string {
  if (event.kind === "deleted") return `deleted ${event.isGone ? "gone" : "out"}`;
  if (event.kind !== "changed") return event.kind;
  return event.resource.kind === "task" ? event.resource.task.name : (event.resource.workSession.runner ?? "nobody");
}

/** Watches, does one thing after another, and notes what is said until the count is full. */
async function heard(watch: AsyncIterable<WatchMessage>, count: number, act: () => Promise<void>): Promise<string[]> {
  const words: string[] = [];
  for await (const message of watch) {
    if (message.event.kind === "progress") continue;
    words.push(wordFor(message));
    if (message.event.kind === "synced") await act();
    if (words.length === count) break;
  }
  return words;
}

const watched = { taskIds: [], statuses: [], includeWorkSessions: false, resumeToken: "" };

describe("a watch with a filter", () => {
  test("shows what matches, then what comes to match, and as deleted what stops matching", async () => {
    const ada = person("wilma");
    const urgent = await app.createTask({ name: "urgent", priority: -1 }, ada);
    await app.createTask({ name: "calm" }, ada);
    const end = new AbortController();
    const asked = { ...watched, where: condition("priority < 0 AND NOT status = cancelled") };
    const words = await heard(watchTasks(app, ada, asked, end.signal), 5, async () => {
      await app.createTask({ name: "calm too" }, ada);
      const short = await app.createTask({ name: "short", priority: -5 }, ada);
      await updateTaskStatus(app, ada, { taskId: urgent.id, action: "cancel", reason: "" });
      await deleteTask(app, ada, { taskId: short.id });
    });
    end.abort();
    expect(words).toEqual(["urgent", "synced", "short", "deleted out", "deleted gone"]);
  });

  test("of sessions follows who holds them", async () => {
    const { task, session } = await app.createTaskWithSession();
    const end = new AbortController();
    const asked = {
      taskId: task.id,
      agentTypes: [],
      statuses: [],
      resumeToken: "",
      where: condition("runner:*", workSessionFields),
    };
    const words = await heard(watchWorkSessions(app, person(), asked, end.signal), 3, async () => {
      const claim = await claimWorkSession(app, runner, { workSessionId: session.id, runner: "anna" });
      await releaseWorkSession(app, runner, { workSessionId: session.id, epoch: claim.session.leaseEpoch, reason: "" });
    });
    end.abort();
    expect(words).toEqual(["synced", "anna", "deleted out"]);
  });

  test("gives tokens that are good for the same filter only", async () => {
    const end = new AbortController();
    const tokenOf = async (text: string, resumeToken = ""): Promise<string> => {
      for await (const message of watchTasks(
        app,
        person(),
        { ...watched, where: condition(text), resumeToken },
        end.signal,
      ))
        if (message.resumeToken !== "") return message.resumeToken;
      return "";
    };
    const token = await tokenOf("priority < 0");
    await expect(tokenOf("priority<0", token)).resolves.not.toBe("");
    await expect(tokenOf("priority < 1", token)).rejects.toMatchObject({ reason: "RESUME_TOKEN_INVALID" });
    end.abort();
  });

  test("begins with what a list with the same filter shows, and follows the log to the same end", async () => {
    const cara = person("cara");
    for (const priority of [-1, 0, 1]) await app.createTask({ priority, appId: "a" }, cara);
    await fc.assert(
      fc.asyncProperty(anyFilter(taskFields), fc.uuid(), async (node, mark) => {
        const where = condition(`(${printFilter(node)}) OR app_id = "${mark}"`);
        const end = new AbortController();
        const shown = new Set<string>();
        for await (const { event } of watchTasks(app, cara, { ...watched, where }, end.signal)) {
          if (event.kind === "synced") await changeSome(cara, mark);
          if (event.kind === "deleted") shown.delete(event.id);
          if (event.kind !== "changed" || event.resource.kind !== "task") continue;
          shown.add(event.resource.task.id);
          if (event.resource.task.appId === mark) break;
        }
        end.abort();
        const { items } = await listTasks(app, cara, { where, orderBy: [], pageSize: 1_000, pageToken: "" });
        expect(shown).toEqual(new Set(items.map(({ id }) => id)));
      }),
      { numRuns: sized({ normal: 20, full: 500 }) },
    );
  });
});

/** Lets a task come, change and, at last, a marked one come. */
async function changeSome(actor: ReturnType<typeof person>, mark: string): Promise<void> {
  const task = await app.createTask({ priority: -2, name: "B" }, actor);
  await updateTaskStatus(app, actor, { taskId: task.id, action: "activate", reason: "" });
  const gone = await app.createTask({ priority: 2, name: "ab" }, actor);
  await deleteTask(app, actor, { taskId: gone.id });
  await app.createTask({ appId: mark }, actor);
}
