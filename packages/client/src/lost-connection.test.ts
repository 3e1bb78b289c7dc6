import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { createClient } from "./node.ts";

describe.each(["end", "resetAndDestroy"] as const)("a connection that is lost before the answer (%s)", (how) => {
  test("is UNAVAILABLE, so that what may be repeated is", async () => {
    const server = http2.createServer();
    const sockets: Socket[] = [];
    server.on("connection", (socket: Socket) => sockets.push(socket));
    server.on("stream", () => sockets.splice(0).forEach((socket) => socket[how]()));
    server.on("session", (session) => session.on("error", () => {}));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address: AddressInfo | string | null = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    let calls = 0;
    server.on("stream", () => calls++);
    const retry = { attemptsMax: 3, clock: { sleep: async () => undefined, random: () => 0 } };
    const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, retry });
    await expect(client.tasks.getTask({ id: "tsk_1" })).rejects.toMatchObject({ code: Code.Unavailable });
    expect(calls).toBe(3);
    server.close();
  });
});
