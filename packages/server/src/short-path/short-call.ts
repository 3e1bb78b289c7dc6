import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type HandlerContext } from "@connectrpc/connect";
import type { Ending } from "../ending.ts";
import { CallValues } from "./call-values.ts";
import { endOfCall } from "./close-reason.ts";
import type { Exchange } from "./exchange.ts";
import type { ShortSpec } from "./record-specs.ts";
import { RequestHeaders } from "./request-headers.ts";
import type { Wire } from "./wire.ts";

/** The calls that are not over yet. */
export type OpenCalls = Set<ShortCall>;

const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * A call on the short path, and the context that its handler is given. Whatever costs something and is not always asked
 * for is made when it is: the signal, the headers. It ends once: answered, refused, too late, cancelled or shut down.
 */
export class ShortCall implements HandlerContext, Ending {
  readonly spec: ShortSpec;
  readonly wire: Wire;
  readonly exchange: Exchange;
  readonly requestMethod = "POST";
  readonly values: ContextValues = new CallValues();
  readonly #open: OpenCalls;
  readonly #deadlineMs: number | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #reason: unknown = undefined;
  #listeners: (() => void)[] = [];
  #controller: AbortController | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;

  constructor(spec: ShortSpec, wire: Wire, exchange: Exchange, open: OpenCalls, timeoutMs: number | undefined) {
    this.spec = spec;
    this.wire = wire;
    this.exchange = exchange;
    this.#open = open;
    open.add(this);
    exchange.onGone = (reason) => this.end(reason);
    if (timeoutMs === undefined) return;
    this.#deadlineMs = Date.now() + timeoutMs;
    if (timeoutMs <= 0) this.end(tooLate());
    else this.#timer = setTimeout(() => this.end(tooLate()), Math.min(timeoutMs, TIMER_MS_MAX));
  }

  get method(): DescMethod {
    return this.spec.method;
  }

  get protocolName(): string {
    return this.wire.protocolName;
  }

  get service(): DescService {
    return this.spec.method.parent;
  }

  get url(): string {
    return this.exchange.url;
  }

  get timeoutMs(): () => number | undefined {
    const deadlineMs = this.#deadlineMs;
    return () => (deadlineMs === undefined ? undefined : deadlineMs - Date.now());
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isOver) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get requestHeader(): Headers {
    return (this.#requestHeader ??= new RequestHeaders(this.exchange));
  }

  get responseHeader(): Headers {
    return (this.#responseHeader ??= new Headers(this.wire.firstHeader));
  }

  get responseTrailer(): Headers {
    return (this.#responseTrailer ??= new Headers(this.wire.firstTrailer));
  }

  /** The answer's headers, if anybody has looked at them. */
  get touchedHeader(): Headers | undefined {
    return this.#responseHeader;
  }

  /** The answer's trailers, if anybody has looked at them. */
  get touchedTrailer(): Headers | undefined {
    return this.#responseTrailer;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get reason(): unknown {
    return this.#reason;
  }

  listen(listener: () => void): void {
    if (!this.#isOver) this.#listeners.push(listener);
  }

  unlisten(listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at !== -1) this.#listeners.splice(at, 1);
  }

  /** Ends the call; only the first time counts. Without a reason it ended well. */
  end(reason: unknown = endOfCall): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reason = reason;
    clearTimeout(this.#timer);
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
    this.#controller?.abort(reason);
    this.exchange.interrupt(reason);
    this.#open.delete(this);
  }
}

function tooLate(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}
