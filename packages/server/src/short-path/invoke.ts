// From a decoded message through the interceptors to the handler, and back
//
// The interceptors are chained once for each method. What they hand on is a request that knows its call: it may be the one
// that they were given or a copy of it with something else in it (`{ ...request, signal }`). What is made only on demand
// is a property of its own that is computed when it is read, so a copy has it too.
import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  type HandlerContext,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import type { ShortSpec } from "./record-specs.ts";
import { ShortCall } from "./short-call.ts";

/** The interceptors and, behind them, the handler. */
export type Invoke = ReturnType<Interceptor>;

type AnyRequest = UnaryRequest | StreamRequest;
type AnyResponse = UnaryResponse | StreamResponse;

const callOf = Symbol("call");

/** Puts a handler behind its interceptors. */
export function invocation(spec: ShortSpec, interceptors: readonly Interceptor[]): Invoke {
  const handle = spec.kind === "unary" ? unaryHandler(spec) : streamHandler(spec);
  return interceptors.reduceRight((next, interceptor) => interceptor(next), handle);
}

/** The request of a call, for the first interceptor. */
export function requestOf(call: ShortCall, message: Message): AnyRequest {
  const { spec } = call;
  return spec.kind === "unary"
    ? new ShortUnaryRequest(call, spec.method, message)
    : new ShortStreamRequest(call, spec.method, message);
}

/** Takes over the headers and trailers of a response that an interceptor has made. */
export function adoptHeaders(call: ShortCall, response: AnyResponse): void {
  if (!isOwn(response, "header", headerOfCall)) copyHeaders(response.header, call.responseHeader);
}

/** The same for what is known at the end only: to be done then. */
export function trailersToAdopt(call: ShortCall, response: AnyResponse): () => void {
  if (isOwn(response, "trailer", trailerOfCall)) return () => {};
  const { trailer } = response;
  return () => copyHeaders(trailer, call.responseTrailer);
}

/** Handlers may leave out fields; whoever comes after them may not have to care. */
function madeWhole(schema: DescMessage, messages: AsyncIterable<MessageInitShape<DescMessage>>) {
  return { [Symbol.asyncIterator]: () => new MadeWhole(schema, messages[Symbol.asyncIterator]()) };
}

class MadeWhole implements AsyncIterator<Message> {
  readonly #schema: DescMessage;
  readonly #messages: AsyncIterator<MessageInitShape<DescMessage>>;

  constructor(schema: DescMessage, messages: AsyncIterator<MessageInitShape<DescMessage>>) {
    this.#schema = schema;
    this.#messages = messages;
  }

  next(): Promise<IteratorResult<Message>> {
    return this.#messages.next().then(this.#make);
  }

  async return(): Promise<IteratorResult<Message>> {
    await this.#messages.return?.();
    return { done: true, value: undefined };
  }

  readonly #make = (result: IteratorResult<MessageInitShape<DescMessage>>): IteratorResult<Message> =>
    result.done === true ? result : { done: false, value: create(this.#schema, result.value) };
}

/** Whether it would be asked of the call itself, so that nobody has set it. */
function isOwn(object: object, name: string, own: PropertyDescriptor): boolean {
  return Object.getOwnPropertyDescriptor(object, name)?.get === own.get;
}

function unaryHandler({ impl, method }: Extract<ShortSpec, { kind: "unary" }>): Invoke {
  return async (request) => {
    if (request.stream) throw new Error(`${method.name} is no stream.`);
    const call = callBehind(request);
    const output = await impl(request.message, contextFor(call, request));
    return new ShortUnaryResponse(call, method, create(method.output, output));
  };
}

function streamHandler({ impl, method }: Extract<ShortSpec, { kind: "server_streaming" }>): Invoke {
  return async (request) => {
    if (!request.stream) throw new Error(`${method.name} is a stream.`);
    const call = callBehind(request);
    const output = impl(await onlyOne(request.message), contextFor(call, request));
    return new ShortStreamResponse(call, method, madeWhole(method.output, output));
  };
}

function callBehind(request: AnyRequest): ShortCall {
  if (callOf in request && request[callOf] instanceof ShortCall) return request[callOf];
  throw new Error("An interceptor has handed on a request that is no copy of its own.");
}

function contextFor(call: ShortCall, request: AnyRequest): HandlerContext {
  const { header, contextValues } = request;
  const isUnchanged = header === call.requestHeader && contextValues === call.values;
  return isUnchanged && isOwn(request, "signal", signalOfCall) ? call : new AlteredContext(call, request);
}

class ShortRequest {
  readonly service: DescService;
  readonly requestMethod: string;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly [callOf]: ShortCall;
  declare readonly signal: AbortSignal;
  declare readonly url: string;

  constructor(call: ShortCall) {
    this.service = call.service;
    this.requestMethod = call.requestMethod;
    this.header = call.requestHeader;
    this.contextValues = call.values;
    this[callOf] = call;
    Object.defineProperty(this, "signal", signalOfCall);
    Object.defineProperty(this, "url", urlOfCall);
  }
}

class ShortUnaryRequest extends ShortRequest implements UnaryRequest {
  readonly stream = false;
  readonly method: DescMethodUnary;
  readonly message: Message;

  constructor(call: ShortCall, method: DescMethodUnary, message: Message) {
    super(call);
    this.method = method;
    this.message = message;
  }
}

class ShortStreamRequest extends ShortRequest implements StreamRequest {
  readonly stream = true;
  readonly method: DescMethodStreaming;
  readonly message: AsyncIterable<Message>;

  constructor(call: ShortCall, method: DescMethodStreaming, message: Message) {
    super(call);
    this.method = method;
    this.message = new OneMessage(message);
  }
}

class ShortResponse {
  readonly service: DescService;
  readonly [callOf]: ShortCall;
  declare readonly header: Headers;
  declare readonly trailer: Headers;

  constructor(call: ShortCall) {
    this.service = call.service;
    this[callOf] = call;
    Object.defineProperty(this, "header", headerOfCall);
    Object.defineProperty(this, "trailer", trailerOfCall);
  }
}

class ShortUnaryResponse extends ShortResponse implements UnaryResponse {
  readonly stream = false;
  readonly method: DescMethodUnary;
  readonly message: Message;

  constructor(call: ShortCall, method: DescMethodUnary, message: Message) {
    super(call);
    this.method = method;
    this.message = message;
  }
}

class ShortStreamResponse extends ShortResponse implements StreamResponse {
  readonly stream = true;
  readonly method: DescMethodStreaming;
  readonly message: AsyncIterable<Message>;

  constructor(call: ShortCall, method: DescMethodStreaming, message: AsyncIterable<Message>) {
    super(call);
    this.method = method;
    this.message = message;
  }
}

const signalOfCall = onDemand((call) => call.signal);
const urlOfCall = onDemand((call) => call.url);
const headerOfCall = onDemand((call) => call.responseHeader);
const trailerOfCall = onDemand((call) => call.responseTrailer);

function onDemand(get: (call: ShortCall) => unknown): PropertyDescriptor & ThisType<{ readonly [callOf]: ShortCall }> {
  return {
    enumerable: true,
    get() {
      return get(this[callOf]);
    },
  };
}

/** A call's context with what an interceptor has put into the request instead. */
class AlteredContext implements HandlerContext {
  readonly service: DescService;
  readonly requestHeader: Headers;
  readonly signal: AbortSignal;
  readonly values: ContextValues;
  readonly #call: ShortCall;

  constructor(call: ShortCall, { service, header, signal, contextValues }: AnyRequest) {
    this.#call = call;
    this.service = service;
    this.requestHeader = header;
    this.signal = signal;
    this.values = contextValues;
  }

  get method(): HandlerContext["method"] {
    return this.#call.method;
  }

  get timeoutMs(): HandlerContext["timeoutMs"] {
    return this.#call.timeoutMs;
  }

  get requestMethod(): string {
    return this.#call.requestMethod;
  }

  get responseHeader(): Headers {
    return this.#call.responseHeader;
  }

  get responseTrailer(): Headers {
    return this.#call.responseTrailer;
  }

  get protocolName(): string {
    return this.#call.protocolName;
  }

  get url(): string {
    return this.#call.url;
  }
}

class OneMessage<T> implements AsyncIterable<T> {
  readonly #message: T;

  constructor(message: T) {
    this.#message = message;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    yield this.#message;
  }

  get value(): T {
    return this.#message;
  }
}

async function onlyOne<T extends Message>(messages: AsyncIterable<T>): Promise<T> {
  if (messages instanceof OneMessage) return messages.value;
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw missingMessage("server-streaming");
  const second = await iterator.next();
  if (second.done !== true) throw surplusMessage("server-streaming");
  return first.value;
}

/** Why a request without a message is refused; `kind` is `unary` or `server-streaming`. */
export function missingMessage(kind: string): ConnectError {
  return new ConnectError(`protocol error: missing input message for ${kind} method`, Code.Unimplemented);
}

/** Why a request with more than one message is refused. */
export function surplusMessage(kind: string): ConnectError {
  return new ConnectError(`protocol error: received extra input message for ${kind} method`, Code.Unimplemented);
}

function copyHeaders(from: Headers, to: Headers): void {
  if (from === to) return;
  for (const name of Array.from(to.keys())) to.delete(name);
  from.forEach((value, name) => to.set(name, value));
}
