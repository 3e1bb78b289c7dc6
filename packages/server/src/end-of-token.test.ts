import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { systemWorld } from "@helix-zed/domain";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { afterAll, describe, expect, test } from "vitest";
import { type Authenticate, bearerAuthenticator } from "./authenticate.ts";
import { followTokensFile } from "./follow-tokens-file.ts";
import { createLog } from "./log.ts";
import { collect, failureOf, startTestServer, transports } from "./testing/test-server.ts";
import { hashToken, TokenList } from "./token-list.ts";
import { readTokensFile } from "./tokens-file.ts";

const folder = mkdtempSync(join(tmpdir(), "end-of-token-"));
const path = join(folder, "tokens.json");
afterAll(() => rmSync(folder, { recursive: true }));

/** Written whole and then renamed, as it should be done. */
function write(content: unknown): void {
  const next = `${path}.next`;
  writeFileSync(next, typeof content === "string" ? content : JSON.stringify(content));
  chmodSync(next, 0o600);
  renameSync(next, path);
}

function user(name: string, userId = name) {
  return { name, sha256: hashToken(name).toString("hex"), kind: "user", user_id: userId };
}

/** A list that follows the file until it is disposed. */
function follow(tokens: readonly object[]) {
  write({ tokens });
  const list = new TokenList(readTokensFile(path));
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    name: "test",
    level: "info",
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const stop = new AbortController();
  const ended = followTokensFile({ path, tokens: list, log, world: systemWorld(), signal: stop.signal });
  const dispose = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  return {
    list,
    lines,
    authenticate: bearerAuthenticator({ tokens: list, jwts: null }),
    [Symbol.asyncDispose]: dispose,
  };
}

const bearer = (token: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
});

async function* watchTasks(): AsyncGenerator<{ resumeToken: string }> {
  yield { resumeToken: "1" };
  await new Promise(() => {});
}

/** A server whose watch says one thing and then nothing, whatever its signal says. */
function startSilentServer(authenticate: Authenticate) {
  return startTestServer({ watchTasks, getTask: () => ({}) }, { authenticate });
}

describe.each(Object.entries(transports))("an open watch over %s", (_name, transport) => {
  test("ends within a second of its token being revoked; others go on", async () => {
    await using file = follow([user("ada"), user("bob")]);
    await using server = await startSilentServer(file.authenticate);
    const client = createClient(TaskService, transport(server.url));
    const seen = { ada: [], bob: [] };
    const hangUp = new AbortController();
    const bobs = collect(client.watchTasks({}, { ...bearer("bob"), signal: hangUp.signal }), seen.bob).catch(
      () => "ended",
    );
    const adas = failureOf(collect(client.watchTasks({}, bearer("ada")), seen.ada));
    await expect.poll(() => seen).toMatchObject({ ada: [{}], bob: [{}] });
    const revokedAtMs = performance.now();
    write({ tokens: [user("bob")] });
    const error = await adas;
    expect(performance.now() - revokedAtMs).toBeLessThan(1_000);
    expect(error.code).toBe(Code.Unauthenticated);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "TOKEN_REVOKED", domain: "helix-zed" }]);
    expect(await failureOf(client.getTask({ id: "a" }, bearer("ada")))).toMatchObject({ code: Code.Unauthenticated });
    await client.getTask({ id: "a" }, bearer("bob"));
    hangUp.abort();
    expect(await bobs).toBe("ended");
  });

  test("ends within a second of its token's expiry", async () => {
    const expiresAt = new Date(Date.now() + 300);
    await using server = await startSilentServer(() => ({ actor: { kind: "user", userId: "ada" }, expiresAt }));
    const client = createClient(TaskService, transport(server.url));
    const error = await failureOf(collect(client.watchTasks({})));
    expect(Date.now() - expiresAt.getTime()).toBeLessThan(1_000);
    expect(error.code).toBe(Code.Unauthenticated);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "TOKEN_EXPIRED", domain: "helix-zed" }]);
  });
});

describe("a tokens file in force", () => {
  test("lets new tokens in", async () => {
    await using file = follow([user("ada")]);
    write({ tokens: [user("ada"), user("bob")] });
    await expect.poll(() => file.list.find("bob")?.owner.name).toBe("bob");
  });

  test("stays in force as it was while a new one is broken or gone, which is logged once", async () => {
    await using file = follow([user("ada")]);
    const ada = file.list.find("ada");
    write('{"tokens": [');
    await expect.poll(() => file.lines).toMatchObject([{ msg: expect.stringContaining("cannot be used") }]);
    rmSync(path);
    await expect.poll(() => file.lines).toHaveLength(2);
    expect(file.list.find("ada")).toEqual(ada);
    expect(ada?.revoked.aborted).toBe(false);
    write({ tokens: [] });
    await expect.poll(() => file.list.find("ada")).toBeNull();
    expect(ada?.revoked.aborted).toBe(true);
  });

  test("revokes a token that is given to somebody else, and keeps the watches of one that stays", async () => {
    await using file = follow([user("ada"), user("bob")]);
    const [ada, bob] = [file.list.find("ada"), file.list.find("bob")];
    write({ tokens: [user("bob"), user("ada", "eve")] });
    await expect.poll(() => ada?.revoked.aborted).toBe(true);
    expect(file.list.find("ada")).toMatchObject({ owner: { userId: "eve" }, revoked: { aborted: false } });
    expect(bob?.revoked.aborted).toBe(false);
  });
});
