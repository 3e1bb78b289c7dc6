import type { ClientHttp2Stream } from "node:http2";
import { Http2SessionManager, type Http2SessionOptions } from "@connectrpc/connect-node";

/** How a pool spreads its streams. */
export interface SessionPoolOptions extends Http2SessionOptions {
  /** Streams on one connection before the next one is opened. Fewer than the peer allows: more would wait in silence. */
  readonly streamsMax: number;
}

interface Member {
  readonly session: Http2SessionManager;
  openStreams: number;
}

/**
 * As many HTTP/2 connections to one service as its open streams need. A server allows only so many streams on one
 * connection, and Node holds further ones back until another ends: behind watches that never end, that is for ever.
 */
export class SessionPool extends Http2SessionManager {
  readonly #url: string;
  readonly #options: SessionPoolOptions;
  readonly #members: Member[] = [];
  readonly #owners = new WeakMap<ClientHttp2Stream, Http2SessionManager>();

  constructor(url: string, options: SessionPoolOptions) {
    super(url, options);
    this.#url = url;
    this.#options = options;
  }

  /** Opens a stream on the first connection that has room. */
  override async request(...[method, path, headers, options]: Parameters<Http2SessionManager["request"]>) {
    const member = this.#memberWithRoom();
    member.openStreams++;
    try {
      const stream = await member.session.request(method, path, headers, options);
      this.#owners.set(stream, member.session);
      stream.once("close", () => member.openStreams--);
      return stream;
    } catch (error) {
      member.openStreams--;
      throw error;
    }
  }

  override notifyResponseByteRead(stream: ClientHttp2Stream): void {
    this.#owners.get(stream)?.notifyResponseByteRead(stream);
  }

  override abort(reason?: Error): void {
    for (const { session } of this.#members) session.abort(reason);
  }

  #memberWithRoom(): Member {
    const found = this.#members.find(({ openStreams }) => openStreams < this.#options.streamsMax);
    if (found !== undefined) return found;
    const member = { session: new Http2SessionManager(this.#url, this.#options), openStreams: 0 };
    this.#members.push(member);
    return member;
  }
}
