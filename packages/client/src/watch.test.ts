import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { TaskSchema } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { type WatchTasksResponse, WatchTasksResponseSchema } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { liveTasks } from "./live-view.ts";
import { Watch } from "./watch.ts";
import { isOver, watchLifecycle, type WatchState } from "./watch-lifecycle.ts";

const clock = { now: () => new Date(1_000), sleep: async () => undefined, random: () => 0 };

const synced = message("synced", {});

function message(kind: "synced" | "progress", value: object, resumeToken = ""): WatchTasksResponse {
  return create(WatchTasksResponseSchema, { resumeToken, event: { case: kind, value } });
}

function changed(id: string, priority: number, resumeToken = ""): WatchTasksResponse {
  const resource = { case: "task" as const, value: create(TaskSchema, { id, priority }) };
  return create(WatchTasksResponseSchema, { resumeToken, event: { case: "changed", value: { resource } } });
}

function deleted(id: string, resumeToken: string): WatchTasksResponse {
  const resource = { case: "taskId" as const, value: id };
  return create(WatchTasksResponseSchema, { resumeToken, event: { case: "deleted", value: { resource } } });
}

/** One change of a small world: a task that gets this priority, or that is deleted. */
type Step = { readonly id: string; readonly priority: number | null };

const step: fc.Arbitrary<Step> = fc.record({
  id: fc.constantFrom("tsk_a", "tsk_b", "tsk_c"),
  priority: fc.option(fc.nat(9)),
});

/** What there is after the first `count` steps. */
function worldAfter(steps: readonly Step[], count: number): Map<string, number> {
  const world = new Map<string, number>();
  for (const { id, priority } of steps.slice(0, count)) {
    if (priority === null) world.delete(id);
    else world.set(id, priority);
  }
  return world;
}

/** A service with a log of steps. Stream number i ends after `cuts[i]` messages; tokens below `compacted` are refused. */
function serviceOf(steps: readonly Step[], cuts: readonly number[], compacted: readonly number[]) {
  let streams = 0;
  return async function* open(token: string): AsyncGenerator<WatchTasksResponse> {
    const number = streams++;
    let left = cuts[number] ?? Infinity;
    const spend = (): void => {
      if (left-- === 0) throw new ConnectError("cut", Code.Unavailable);
    };
    const start = token === "" ? Math.min(number * 2, steps.length) : Number(token);
    if (token !== "" && start < (compacted[number] ?? 0)) throw new ConnectError("compacted", Code.OutOfRange);
    if (token === "") {
      for (const [id, priority] of worldAfter(steps, start)) {
        spend();
        yield changed(id, priority);
      }
      spend();
      yield create(WatchTasksResponseSchema, { ...synced, resumeToken: String(start) });
    }
    for (const [index, { id, priority }] of steps.slice(start).entries()) {
      const at = start + index;
      spend();
      yield priority === null ? deleted(id, String(at + 1)) : changed(id, priority, String(at + 1));
    }
  };
}

describe("a live view", () => {
  test("ends up with what there is, wherever its streams are cut and whichever tokens are refused", async () => {
    const schedule = fc.tuple(
      fc.array(step, { maxLength: 30 }),
      fc.array(fc.nat(6), { maxLength: 15 }),
      fc.array(fc.nat(30), { maxLength: 15 }),
    );
    await fc.assert(
      fc.asyncProperty(schedule, async ([steps, cuts, compacted]) => {
        const view = liveTasks(new Watch(serviceOf(steps, cuts, compacted), { clock }));
        await view.finished;
        const shown = [...view.current.tasks.values()].map(({ id, priority }) => [id, priority] as const);
        expect(new Map(shown)).toEqual(worldAfter(steps, steps.length));
        expect(view.current.status.state).toBe("ended");
      }),
    );
  });

  test("shows a snapshot at once, never a part of it", async () => {
    const sizes = new Set<number>();
    const steps = ["tsk_a", "tsk_b"].map((id) => ({ id, priority: 0 }));
    const view = liveTasks(new Watch(serviceOf(steps, [0, 3], []), { clock }));
    view.subscribe(() => sizes.add(view.current.tasks.size));
    await view.finished;
    expect([...sizes]).toEqual([0, 2]);
  });

  test("keeps what it showed while a new snapshot replaces what could not be resumed", async () => {
    const sizes: number[] = [];
    let streams = 0;
    async function* open(token: string): AsyncGenerator<WatchTasksResponse> {
      if (streams++ === 1) throw new ConnectError(token, Code.OutOfRange);
      yield changed("tsk_a", 0);
      yield message("synced", {}, "1");
      if (streams === 1) throw new ConnectError("cut", Code.Unavailable);
    }
    const view = liveTasks(new Watch(open, { clock }));
    view.subscribe(() => sizes.push(view.current.tasks.size));
    await view.finished;
    expect(sizes.slice(sizes.indexOf(1))).not.toContain(0);
  });
});

async function statesOf(open: (token: string) => AsyncIterable<WatchTasksResponse>): Promise<WatchState[]> {
  const watch = new Watch(open, { clock });
  const states: WatchState[] = [watch.status.state];
  watch.subscribe(() => states.push(watch.status.state));
  // The state tells whether it was refused.
  await liveTasks(watch).finished.catch(() => {});
  return states;
}

describe("the status of a watch", () => {
  test("tells each step from the first try over a break to the end", async () => {
    const states = await statesOf(serviceOf([{ id: "tsk_a", priority: 1 }], [1], []));
    expect(states).toEqual(["connecting", "syncing", "live", "waiting", "connecting", "live", "ended"]);
  });

  test.each([Code.Unauthenticated, Code.NotFound, Code.InvalidArgument])(
    "is refused after %s, which trying again cannot mend",
    async (code) => {
      const states = await statesOf(async function* () {
        yield* [];
        throw new ConnectError("no", code);
      });
      expect(states).toEqual(["connecting", "refused"]);
    },
  );

  test("tells while it waits when it tries again, since when it is stale, and why", async () => {
    const watch = new Watch(serviceOf([{ id: "tsk_a", priority: 1 }], [1], []), { clock });
    const seen: unknown[] = [];
    watch.subscribe(() => seen.push(watch.status));
    await liveTasks(watch).finished;
    expect(seen).toContainEqual({
      state: "waiting",
      retryAt: new Date(1_050),
      staleSince: new Date(1_000),
      error: expect.objectContaining({ code: Code.Unavailable }),
    });
  });

  test("is closed when its reader leaves", async () => {
    const watch = new Watch(serviceOf([{ id: "tsk_a", priority: 1 }], [], []), { clock });
    const reader = watch[Symbol.asyncIterator]();
    await reader.next();
    await reader.return();
    expect(watch.status.state).toBe("closed");
  });

  test("stays at its end, whatever happens then", () => {
    for (const state of ["refused", "ended", "closed"] as const) {
      expect(isOver(state)).toBe(true);
      expect(Object.values(watchLifecycle[state]).filter((next) => next !== null)).toEqual([]);
    }
  });
});
