import type { IncomingHttpHeaders } from "node:http";
import type { Body } from "./body.ts";

/** Status and headers of an answer, as names and values in turn; the first name is `:status`. */
export type Head = string[];

/** What follows the body. */
export type Trailers = Readonly<Record<string, string>>;

/** A request and the answer to it, over whichever version of HTTP. Nothing is written once it is closed. */
export interface Exchange {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  /** Whether the answer is complete, or nobody is left to take it. */
  readonly isClosed: boolean;
  /** To be told, once, when the peer has gone before the answer was complete. */
  onGone: ((reason: unknown) => void) | undefined;
  /** Reads to the end of the request; rejects if the body refuses it or the exchange is closed. */
  read(body: Body): Promise<Uint8Array>;
  /** Sends a whole answer. */
  send(head: Head, body: Uint8Array | null, trailers: Trailers | null): void;
  /** Sends the head alone, at once. */
  begin(head: Head, options: { readonly withTrailers: boolean }): void;
  /** Sends a piece of the body; `false` asks to wait until it has {@link drained}. */
  write(bytes: Uint8Array): boolean;
  /** Resolves when there is room again, when the exchange is closed, or when it is interrupted. */
  drained(): Promise<void>;
  /** Makes what is being waited for end at once: reading fails for this reason. */
  interrupt(reason: unknown): void;
  /** Ends an answer that was begun. */
  finish(trailers: Trailers | null): void;
  /** Cuts it off, where nothing else is left. */
  destroy(): void;
}
