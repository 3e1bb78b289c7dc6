import { randomBytes } from "node:crypto";
import * as http from "node:http";
import { text } from "node:stream/consumers";
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, test } from "vitest";
import { HttpBodySchema } from "./gen/google/api/httpbody_pb.ts";
import { type Bookstore, restHandlerFor, serveHttp1, type TestServer } from "../test/rest-server.ts";
import type { RestOptions } from "./rest-options.ts";

const servers: TestServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

const fields = { etagField: "etag", requestIdField: "request_id" };

async function serve(bookstore: Bookstore, options: Omit<RestOptions, "services"> = {}): Promise<string> {
  const server = await serveHttp1(restHandlerFor(bookstore, { ...fields, ...options }));
  servers.push(server);
  return server.origin;
}

const json = { "content-type": "application/json" };

async function messageOf(response: Response): Promise<string> {
  // What the body must look like is what other tests are about.
  const { error }: { error: { message: string } } = JSON.parse(await response.text());
  return error.message;
}

/** Without what `fetch` does by itself: it decodes. */
function rawGet(
  url: string,
  headers: Record<string, string>,
): Promise<{ headers: http.IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    http.get(url, { headers }, (response) => {
      void response
        .toArray()
        .then((chunks) => resolve({ headers: response.headers, body: Buffer.concat(chunks) }), reject);
    });
  });
}

describe("a coded body", () => {
  const echo: Bookstore = { createShelf: ({ shelf }) => (shelf === undefined ? {} : { shelf }) };
  const body = Buffer.from(JSON.stringify({ id: "s", display_name: "x".repeat(500) }));

  test.each([
    ["gzip", gzipSync(body)],
    ["x-gzip", gzipSync(body)],
    ["deflate", deflateSync(body)],
    ["br", brotliCompressSync(body)],
    ["GZIP", gzipSync(body)],
    ["identity", body],
  ])("in %s is read", async (encoding, bytes) => {
    const headers = { ...json, "content-encoding": encoding };
    const response = await fetch(`${await serve(echo)}/v1/shelves`, { method: "POST", body: bytes, headers });
    expect(await response.json()).toMatchObject({ id: "s" });
  });

  test.each([
    { why: "in a coding that nobody knows", encoding: "zstd", bytes: body, status: 415 },
    { why: "in two codings", encoding: "gzip, br", bytes: body, status: 415 },
    { why: "that is not what it says", encoding: "gzip", bytes: body, status: 400 },
    { why: "that is cut off", encoding: "gzip", bytes: gzipSync(body).subarray(0, 30), status: 400 },
    { why: "that is small and grows", encoding: "br", bytes: brotliCompressSync(Buffer.alloc(1e6)), status: 413 },
  ])("$why is $status", async ({ encoding, bytes, status }) => {
    const url = `${await serve(echo, { maxBodyBytes: 10_000 })}/v1/shelves`;
    const headers = { ...json, "content-encoding": encoding };
    const response = await fetch(url, { method: "POST", body: new Uint8Array(bytes), headers });
    expect(response.status).toBe(status);
  });
});

describe("a large answer", () => {
  const name = "y".repeat(3_000);
  const bookstore: Bookstore = { getShelf: ({ id }) => ({ shelf: { id, displayName: name } }) };

  test.each([
    ["gzip", "gzip"],
    ["br, gzip", "br"],
    ["gzip;q=1, br;q=0.5", "gzip"],
    ["*", "br"],
    ["br;q=0, *", "gzip"],
  ])("for a caller who takes %s is sent in %s", async (accepted, coding) => {
    const answer = await rawGet(`${await serve(bookstore)}/v1/shelves/s`, { "accept-encoding": accepted });
    expect(answer.headers).toMatchObject({ "content-encoding": coding, vary: "accept-encoding" });
    expect(Number(answer.headers["content-length"])).toBe(answer.body.length);
    const plain = coding === "br" ? brotliDecompressSync(answer.body) : gunzipSync(answer.body);
    expect(JSON.parse(plain.toString())).toMatchObject({ display_name: name });
  });

  test.each(["", "identity", "gzip;q=0", "zstd"])("for a caller who takes %j is sent as it is", async (accepted) => {
    const answer = await rawGet(`${await serve(bookstore)}/v1/shelves/s`, { "accept-encoding": accepted });
    expect(answer.headers["content-encoding"]).toBeUndefined();
    expect(answer.headers.vary).toBe("accept-encoding");
  });

  test("is as it is when it is small", async () => {
    const small: Bookstore = { getShelf: ({ id }) => ({ shelf: { id } }) };
    const answer = await rawGet(`${await serve(small)}/v1/shelves/s`, { "accept-encoding": "gzip" });
    expect(answer.headers).not.toHaveProperty("content-encoding");
  });
});

describe("an entity tag", () => {
  const books: Bookstore = {
    getBook: ({ name }) => ({ name, etag: '"7"' }),
    getShelf: ({ id }) => ({ shelf: { id, etag: '"9"' } }),
    listShelves: () => ({}),
    lendBook: ({ name, etag }) => {
      if (etag !== "" && etag !== '"7"') throw new ConnectError("it has changed", Code.Aborted);
      return { name, title: etag, etag: '"8"' };
    },
    deleteShelf: () => ({}),
  };

  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${await serve(books)}${path}`, init);
  }

  function lend(headers: Record<string, string>, body = "{}"): Promise<Response> {
    return call("/v1/shelves/1/books/2:lend", { method: "POST", body, headers: { ...json, ...headers } });
  }

  test("comes with what is read: the resource, or the field that is the answer", async () => {
    expect((await call("/v1/books/b")).headers.get("etag")).toBe('"7"');
    expect((await call("/v1/shelves/s")).headers.get("etag")).toBe('"9"');
    expect((await call("/v1/shelves")).headers.get("etag")).toBeNull();
  });

  test.each(['"7"', 'W/"7"', '"1", "7"', "*"])("that the caller has (%s) spares the body", async (known) => {
    const response = await call("/v1/books/b", { headers: { "if-none-match": known } });
    expect(response.status).toBe(304);
    expect(response.headers.get("etag")).toBe('"7"');
    expect(await response.text()).toBe("");
  });

  test("that the caller does not have is sent with the body", async () => {
    const response = await call("/v1/books/b", { headers: { "if-none-match": '"6"' } });
    expect(response.status).toBe(200);
  });

  test.each([
    ['"7"', 200],
    ["*", 200],
    ['"6"', 412],
    ['W/"7"', 412],
  ])("wanted by a reader as %s is %d", async (wanted, status) => {
    expect((await call("/v1/books/b", { headers: { "if-match": wanted } })).status).toBe(status);
  });

  test("protects a change: another version is 412, with the service's words", async () => {
    expect(await (await lend({ "if-match": '"7"' })).json()).toMatchObject({ title: '"7"' });
    expect(await (await lend({ "if-match": "*" })).json()).toMatchObject({ title: "" });
    const refused = await lend({ "if-match": '"6"' });
    expect(refused.status).toBe(412);
    expect(await messageOf(refused)).toBe("it has changed");
  });

  test("in the body is 409 as ever", async () => {
    expect((await lend({}, '{"etag": "\\"6\\""}')).status).toBe(409);
  });

  test.each([
    { why: "two of them", headers: { "if-match": '"6", "7"' }, body: "{}" },
    { why: "none at all", headers: { "if-match": "seven" }, body: "{}" },
    { why: "another one than in the body", headers: { "if-match": '"7"' }, body: '{"etag": "\\"6\\""}' },
  ])("is refused where it is $why", async ({ headers, body }) => {
    const response = await lend(headers, body);
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toContain("if-match");
  });

  test("is refused where nothing would heed it", async () => {
    const response = await call("/v1/shelves/s", { method: "DELETE", headers: { "if-match": '"9"' } });
    expect(await messageOf(response)).toBe("if-match: is not supported by this method");
  });
});

describe("an Idempotency-Key", () => {
  const seen: string[] = [];
  const bookstore: Bookstore = {
    createShelf: ({ requestId }) => {
      seen.push(requestId);
      return {};
    },
    deleteShelf: () => ({}),
  };

  async function createShelf(key: string, query = ""): Promise<Response> {
    const headers = { ...json, "idempotency-key": key };
    return fetch(`${await serve(bookstore)}/v1/shelves${query}`, { method: "POST", body: "{}", headers });
  }

  test("is the request id, in quotes or bare", async () => {
    await createShelf('"key-1"');
    await createShelf("key-2");
    expect(seen.splice(0)).toEqual(["key-1", "key-2"]);
  });

  test("may say the same as the request, and nothing else", async () => {
    expect((await createShelf("a", "?request_id=a")).status).toBe(200);
    const refused = await createShelf("a", "?request_id=b");
    expect(refused.status).toBe(400);
    expect(await messageOf(refused)).toContain("idempotency-key");
  });

  test("is ignored by a method that has no such field", async () => {
    const init = { method: "DELETE", headers: { "idempotency-key": "a" } };
    expect((await fetch(`${await serve(bookstore)}/v1/shelves/s`, init)).status).toBe(200);
  });
});

describe("bytes of any media type", () => {
  const photo = randomBytes(5_000);
  const bookstore: Bookstore = {
    storePhoto: ({ name, photo: stored, caption }) =>
      create(HttpBodySchema, {
        contentType: "text/plain",
        data: Buffer.from(`${name} ${caption} ${stored?.contentType} ${stored?.data.length}`),
      }),
    echoBytes: (body) => body,
    getPhoto: ({ name }) =>
      name === "none" ? {} : { photo: { contentType: name === "html" ? "text/html" : "image/png", data: photo } },
    async *streamPhoto({ name }) {
      for (const data of [photo.subarray(0, 9), photo.subarray(9)]) yield { contentType: "image/png", data };
      if (name === "broken") throw new ConnectError("lost", Code.DataLoss);
    },
  };

  test("are taken as the field that is the body, beside path and query", async () => {
    const init = { method: "PUT", body: photo, headers: { "content-type": "image/png" } };
    const response = await fetch(`${await serve(bookstore)}/v1/photos/p?caption=hi`, init);
    expect(response.headers.get("content-type")).toBe("text/plain");
    expect(await response.text()).toBe("p hi image/png 5000");
  });

  test("are the whole request, and the whole answer", async () => {
    const headers = { "content-type": "application/x-own", "content-encoding": "gzip" };
    const init = { method: "POST", body: new Uint8Array(gzipSync(photo)), headers };
    const response = await fetch(`${await serve(bookstore)}/v1/echo`, init);
    expect(response.headers.get("content-type")).toBe("application/x-own");
    expect(Buffer.from(await response.arrayBuffer()).equals(photo)).toBe(true);
  });

  test("are sent so that no browser runs them", async () => {
    const response = await fetch(`${await serve(bookstore)}/v1/photos/html`);
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("that are not there are an empty answer", async () => {
    const response = await fetch(`${await serve(bookstore)}/v1/photos/none`);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(await response.text()).toBe("");
  });

  test("stream one after the other", async () => {
    const response = await fetch(`${await serve(bookstore)}/v1/photos/p:stream`);
    expect(response.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await response.arrayBuffer()).equals(photo)).toBe(true);
  });

  test("that break off are never taken for whole", async () => {
    const url = `${await serve(bookstore)}/v1/photos/broken:stream`;
    const body = new Promise((resolve, reject) => {
      http.get(url, (response) => void text(response).then(resolve, reject));
    });
    await expect(body).rejects.toThrow("aborted");
  });
});
