import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BridgeApp, type ClaimedSession, claimSession, openApp, openBridgeApp } from "../testing/bridge-app.ts";
import { ann, bob } from "../testing/read-thread.ts";
import { ScriptedEditor } from "../testing/scripted-editor.ts";
import type { App } from "./app.ts";
import { closeThread } from "./close-thread.ts";
import { listEntries } from "./list-entries.ts";
import { sendMessage } from "./send-message.ts";
import { type ThreadChange, type WatchedChange, watchZedThread } from "./watch-zed-thread.ts";

let bridge: BridgeApp;
let session: ClaimedSession;
let editor: ScriptedEditor;

beforeAll(async () => {
  bridge = await openBridgeApp();
});

afterAll(() => bridge.close());

beforeEach(async () => {
  session = await claimSession(bridge.app);
  editor = new ScriptedEditor(bridge.app, session.instanceId);
  await editor.start();
});

interface Watching {
  readonly app?: App;
  readonly resumeToken?: string;
  readonly signal?: AbortSignal;
  readonly heartbeatMs?: number;
}

function watch(options: Watching = {}): AsyncGenerator<WatchedChange, void, undefined> {
  const { app = bridge.app, resumeToken = "", signal = AbortSignal.timeout(60_000), heartbeatMs = 5_000 } = options;
  const { workSessionId } = session;
  return watchZedThread(app, ann, { workSessionId, resumeToken }, { signal, rhythm: { pollMs: 200, heartbeatMs } });
}

/** Reads on until a change is of this kind. */
async function until(changes: AsyncIterable<WatchedChange>, isLast: (change: ThreadChange) => boolean) {
  const seen: WatchedChange[] = [];
  const iterator = changes[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await iterator.next();
    if (done === true) return seen;
    seen.push(value);
    if (isLast(value.change)) return seen;
  }
}

const isSynced = ({ kind }: ThreadChange): boolean => kind === "synced";

function kinds(changes: readonly WatchedChange[]): string[] {
  return changes.map(({ change }) => change.kind);
}

function closeSession(): Promise<void> {
  return closeThread(bridge.app, { ...session, reason: "completed" });
}

describe("a watch of a thread", () => {
  test("begins with everything there is, each once, then says that this was it", async () => {
    await editor.answer(await editor.beginThread(), "Hello");
    const seen = await until(watch(), isSynced);
    expect(kinds(seen).toSorted()).toEqual(["entry", "entry", "synced", "thread", "turn"]);
    expect(kinds(seen).at(-1)).toBe("synced");
  });

  test("shows each change as it comes, without being asked", async () => {
    const request = await editor.beginThread();
    const changes = watch();
    await until(changes, isSynced);
    await editor.entry({ request, index: 1, content: "Hello" });
    const seen = await until(changes, (change) => change.kind === "entry");
    expect(seen.at(-1)?.change).toMatchObject({ kind: "entry", entry: { content: "Hello", version: 1 } });
    await changes.return();
  });

  test("hears of what another bridge on the same database does", async () => {
    const request = await editor.beginThread();
    const other = await openApp(bridge.databaseUrl);
    const changes = watch({ app: other });
    await until(changes, isSynced);
    await editor.entry({ request, index: 1, content: "Hello" });
    await until(changes, (change) => change.kind === "entry");
    await changes.return();
    await other.database.close();
  });

  test("ends when the thread has ended and that was delivered", async () => {
    const changes = watch();
    await until(changes, isSynced);
    await closeSession();
    const seen = await until(changes, () => false);
    expect(seen.some(({ change }) => change.kind === "thread" && change.thread.mapping.status === "completed")).toBe(
      true,
    );
  });

  test("of one that has ended shows all of it and ends", async () => {
    await editor.answer(await editor.beginThread(), "Hello");
    await closeSession();
    expect(kinds(await until(watch(), () => false)).at(-1)).toBe("synced");
  });

  test("tells that the thread is gone, and ends", async () => {
    const changes = watch();
    await until(changes, isSynced);
    await closeThread(bridge.app, { ...session, reason: "deleted" });
    const seen = await until(changes, () => false);
    expect(seen.at(-1)?.change).toEqual({ kind: "thread_deleted", id: session.mappingId });
    await expect(watch().next()).rejects.toMatchObject({ reason: "ZED_THREAD_NOT_FOUND" });
  });

  test("tells that entries of an attempt that is over are gone", async () => {
    const request = await editor.beginThread();
    await editor.entry({ request, index: 1, content: "Hel" });
    const changes = watch();
    const before = await until(changes, isSynced);
    const entry = before.find(({ change }) => change.kind === "entry" && change.entry.role === "assistant")?.change;
    await editor.failed(request, "agent exited in mid-turn");
    const seen = await until(changes, (change) => change.kind === "entry_deleted");
    expect(seen.at(-1)?.change).toEqual({ kind: "entry_deleted", id: entry?.kind === "entry" ? entry.entry.id : "" });
    expect(kinds(await until(watch(), isSynced))).not.toContain("entry_deleted");
    await changes.return();
  });

  test("says that there is nothing when there is nothing", async () => {
    const changes = watch({ heartbeatMs: 50 });
    const seen = await until(changes, (change) => change.kind === "progress");
    const synced = seen.find(({ change }) => change.kind === "synced");
    expect(seen.at(-1)?.resumeToken).toBe(synced?.resumeToken);
    await changes.return();
  });

  test("ends with the reason of its signal", async () => {
    const stopping = new AbortController();
    const changes = watch({ signal: stopping.signal });
    await until(changes, isSynced);
    const next = changes.next();
    stopping.abort(new Error("stopping"));
    await expect(next).rejects.toThrow("stopping");
  });

  test("is nobody else's", async () => {
    const { workSessionId } = session;
    const signal = AbortSignal.timeout(1_000);
    const changes = watchZedThread(bridge.app, bob, { workSessionId, resumeToken: "" }, { signal });
    await expect(changes.next()).rejects.toMatchObject({ reason: "ZED_THREAD_NOT_FOUND" });
  });
});

describe("a resume token", () => {
  test("goes on where the watch was cut", async () => {
    const request = await editor.beginThread();
    const cut = (await until(watch(), isSynced)).at(-1)?.resumeToken ?? "";
    await editor.entry({ request, index: 1, content: "Hello" });
    const resumed = watch({ resumeToken: cut });
    const seen = await until(resumed, (change) => change.kind === "entry");
    expect(kinds(seen)).not.toContain("synced");
    await resumed.return();
  });

  test("of another thread, of nobody, and from the future is refused", async () => {
    const token = (await until(watch(), isSynced)).at(-1)?.resumeToken ?? "";
    await expect(watch({ resumeToken: "nonsense" }).next()).rejects.toMatchObject({ reason: "RESUME_TOKEN_INVALID" });
    session = await claimSession(bridge.app);
    await expect(watch({ resumeToken: token }).next()).rejects.toMatchObject({ reason: "RESUME_TOKEN_INVALID" });
    const fresh = (await until(watch(), isSynced)).at(-1)?.resumeToken ?? "";
    const future = JSON.parse(Buffer.from(fresh, "base64url").toString());
    const made = Buffer.from(JSON.stringify([future[0], future[1], 1_000_000])).toString("base64url");
    await expect(watch({ resumeToken: made }).next()).rejects.toMatchObject({ reason: "RESUME_TOKEN_OUT_OF_RANGE" });
  });
});

/** What a reader knows that has taken in these changes. */
class Knowledge {
  readonly entries = new Map<string, { content: string; version: number }>();
  readonly turns = new Map<string, string>();
  status = "";

  take({ change }: WatchedChange): void {
    if (change.kind === "entry") this.#takeEntry(change);
    else if (change.kind === "entry_deleted") this.entries.delete(change.id);
    else if (change.kind === "turn") this.turns.set(change.turn.id, change.turn.status);
    else if (change.kind === "thread") this.status = change.thread.mapping.status;
  }

  #takeEntry({ entry: { id, content, version } }: Extract<ThreadChange, { kind: "entry" }>): void {
    // A version is never seen twice, and none goes back.
    expect(version).toBeGreaterThan(this.entries.get(id)?.version ?? 0);
    this.entries.set(id, { content, version });
  }
}

/** Sixteen people write, one of them the agent, and the agent begins anew in the middle. */
async function write(): Promise<void> {
  let request = await editor.beginThread();
  const { workSessionId } = session;
  const people = Array.from({ length: 16 }, (_, index) =>
    sendMessage(bridge.app, ann, { workSessionId, message: `message ${index}`, interrupt: false, requestId: "" }),
  );
  const say = async (): Promise<void> => {
    for (let round = 1; round <= 5; round++) {
      for (let index = 1; index <= 16; index++) await editor.entry({ request, index, content: `${index}.${round}` });
    }
  };
  await say();
  await editor.failed(request, "agent exited in mid-turn");
  await Promise.all(people);
  await editor.takeOne("open_thread");
  await editor.ready("thread-1");
  request = (await editor.takeOne("chat_message")).request_id;
  await say();
  await editor.answer(request, "the end", { index: 20 });
  await closeSession();
}

describe("the history of a watch that is cut again and again while many write", () => {
  test("leaves out nothing and repeats nothing", async () => {
    const knowledge = new Knowledge();
    const writing = write();
    let resumeToken = "";
    for (let taken = 0, over = false; !over; taken = 0) {
      over = true;
      for await (const change of watch({ resumeToken })) {
        knowledge.take(change);
        resumeToken = change.resumeToken;
        if (++taken < 7) continue;
        over = false;
        break;
      }
    }
    await writing;
    const { workSessionId } = session;
    const page = await listEntries(bridge.app, ann, { workSessionId, pageSize: 1_000, pageToken: "" });
    const stored = page.entries.map(({ id, content, version }) => [id, { content, version }]);
    expect(Object.fromEntries(knowledge.entries)).toEqual(Object.fromEntries(stored));
    expect(stored).toHaveLength(1 + 16 + 1);
    expect([...knowledge.turns.values()].toSorted()).toEqual(["completed", ...Array(16).fill("interrupted")]);
    expect(knowledge.status).toBe("completed");
  }, 180_000);
});
