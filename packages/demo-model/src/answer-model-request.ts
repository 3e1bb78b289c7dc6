import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Conversation } from "./conversation.ts";
import { meter, ModelError, type Reply, type ReplyEvent, type Script, type Stage } from "./reply.ts";
import type { Frame, WireFormat } from "./wire-format.ts";

export interface ModelExchange {
  readonly wire: WireFormat;
  readonly conversation: Conversation;
  readonly script: Script;
  readonly stage: Stage;
  readonly response: ServerResponse;
}

/** Runs the script and writes its answer; a refusal before the first piece becomes an HTTP status. */
export async function answerModelRequest(exchange: ModelExchange): Promise<void> {
  const { wire, conversation, script, stage, response } = exchange;
  try {
    const started = await startReply(script(conversation, stage));
    const reply = meter(started, conversation.inputTokens);
    if (!conversation.streaming) {
      const events = await gather(reply);
      return sendJson(response, 200, wire.whole({ events, usage: reply.usage() }, conversation));
    }
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    for await (const frame of wire.stream(reply, conversation)) await writeFrame(response, frame);
    response.end();
  } catch (error) {
    if (stage.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else sendError(exchange, error);
  }
}

async function gather(reply: AsyncIterable<ReplyEvent>): Promise<ReplyEvent[]> {
  const events: ReplyEvent[] = [];
  for await (const event of reply) events.push(event);
  return events;
}

function sendError({ wire, response }: ModelExchange, error: unknown): void {
  const status = error instanceof ModelError ? error.status : 500;
  const message = error instanceof Error ? error.message : "the script failed";
  sendJson(response, status, wire.error(status, message));
}

/** Waits for the first piece, so that a script which refuses at once can still choose the status. */
async function startReply(reply: Reply): Promise<AsyncIterable<ReplyEvent>> {
  const iterator = Symbol.asyncIterator in reply ? reply[Symbol.asyncIterator]() : reply[Symbol.iterator]();
  const first = await iterator.next();
  return (async function* () {
    for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
  })();
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function writeFrame(response: ServerResponse, { event, data }: Frame): Promise<void> {
  const name = event === undefined ? "" : `event: ${event}\n`;
  if (!response.write(`${name}data: ${data}\n\n`)) await once(response, "drain");
}
