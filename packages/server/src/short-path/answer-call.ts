import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { adoptHeaders, type Invoke, requestOf, trailersToAdopt } from "./invoke.ts";
import type { ShortCall } from "./short-call.ts";

/** What runs before a request is read. */
export type Gate = ((context: HandlerContext) => void | Promise<void>) | undefined;

/** Answers a call that has one message to say. Rejects if the answer cannot be written. */
export async function answerUnary(call: ShortCall, invoke: Invoke, gate: Gate): Promise<void> {
  try {
    const response = await invoke(requestOf(call, await requestMessage(call, gate)));
    if (response.stream) throw new Error(`${call.method.name} is no stream.`);
    adoptHeaders(call, response);
    trailersToAdopt(call, response)();
    const answering = call.wire.answer(call, response.message);
    if (answering !== undefined) await answering;
    call.end();
  } catch (error) {
    await refuse(call, error);
  }
}

/** Answers a call with a stream. Its head is sent at once, so that the caller knows that somebody is there. */
export async function answerStream(call: ShortCall, invoke: Invoke, gate: Gate): Promise<void> {
  const head = new StreamHead(call);
  let failure: ConnectError | null = null;
  try {
    const { messages, finish } = await beginStream(call, invoke, gate);
    head.sendSoon();
    await pump(call, messages, head);
    finish();
  } catch (error) {
    failure = failureOf(error);
  }
  // First, since those who hear of it complete the error that is about to be sent.
  call.end(failure ?? undefined);
  // Nobody is left to be told.
  if (call.exchange.isClosed) return;
  head.send();
  await call.wire.finish(call, failure);
}

/** The messages, and what to do after them. By itself, so that nothing else of it lives as long as the stream. */
async function beginStream(call: ShortCall, invoke: Invoke, gate: Gate) {
  const response = await invoke(requestOf(call, await requestMessage(call, gate)));
  if (!response.stream) throw new Error(`${call.method.name} is a stream.`);
  adoptHeaders(call, response);
  return { messages: response.message, finish: trailersToAdopt(call, response) };
}

async function requestMessage(call: ShortCall, gate: Gate): Promise<Message> {
  const gated = gate?.(call);
  if (gated !== undefined) await gated;
  if (call.isOver) throw call.reason;
  const { wire, exchange } = call;
  const message = wire.parse(await exchange.read(wire.body(call)));
  return message instanceof Promise ? await message : message;
}

async function refuse(call: ShortCall, error: unknown): Promise<void> {
  const failure = failureOf(error);
  // As above.
  call.end(failure);
  if (!call.exchange.isClosed) await call.wire.refuse(call, failure);
}

function failureOf(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}

/** Sends what a handler says, as fast as the peer takes it: who reads slowly stops the handler. */
async function pump(call: ShortCall, messages: AsyncIterable<Message>, head: StreamHead): Promise<void> {
  const { exchange, wire } = call;
  const iterator = messages[Symbol.asyncIterator]();
  let isDone = false;
  try {
    for (;;) {
      const result = await iterator.next();
      if (result.done === true) {
        isDone = true;
        return;
      }
      head.send();
      const frame = wire.frame(result.value);
      if (!exchange.write(frame instanceof Promise ? await frame : frame)) await exchange.drained();
      if (call.isOver) throw call.reason;
    }
  } finally {
    // Not awaited: a generator that waits for something cannot return before that happens, and may never.
    if (!isDone) iterator.return?.().catch(() => {});
  }
}

/** The head of a stream: goes out with the first message, or as soon as it is clear that this will take a while. */
class StreamHead {
  readonly #call: ShortCall;
  #soon: NodeJS.Immediate | undefined;
  #isSent = false;

  constructor(call: ShortCall) {
    this.#call = call;
  }

  send(): void {
    if (this.#isSent) return;
    this.#isSent = true;
    clearImmediate(this.#soon);
    this.#soon = undefined;
    this.#call.wire.begin(this.#call);
  }

  // Not at once: a handler may set headers before its first message, as long as it waits for nothing before.
  sendSoon(): void {
    this.#soon = setImmediate(() => this.send());
  }
}
