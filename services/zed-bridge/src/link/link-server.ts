// The link server: where editors connect
//
//   GET /api/v1/external-agents/sync?session_id=zed_…      Authorization: Bearer TOKEN
//
// The session id names an instance, the token proves it; both are checked in the database before the upgrade, and all
// that can be wrong with them gets the same answer. What cannot be an id or a token is refused without a look into the
// database, and so is who has failed too often (attempt-limiter.ts). A browser says where it comes from (`Origin`), an
// editor does not: pages have no business here. Any Host is good: Zed leaves the port out of it. An accepted link begins a new epoch: from then on older links of the
// instance are not listened to, here or in another bridge. What an older link here has brought already is taken in
// before, or it would be lost.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Refusal } from "@helix-zed/domain";
import type { Log, UpgradeListener } from "@helix-zed/server";
import { frameBytesMax, syncPath } from "@helix-zed/sync-protocol";
import { WebSocketServer } from "ws";
import { acceptLink } from "../application/accept-link.ts";
import type { App } from "../application/app.ts";
import { closeLink, type LinkId } from "../application/close-link.ts";
import { findPresentingInstance } from "../application/find-presenting-instance.ts";
import { isPassing } from "../retry.ts";
import { type Attempt, AttemptLimiter, type AttemptLimits } from "./attempt-limiter.ts";
import { Link, REPLACED } from "./link.ts";
import { defaultLinkLimits, type LinkLimits } from "./link-limits.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";

/** What a link server is made of. */
export interface LinkServerOptions {
  readonly app: App;
  readonly log: Log;
  readonly limits?: Partial<LinkLimits>;
  readonly attemptLimits?: AttemptLimits;
}

/** Close code: the service is going away. */
const GOING_AWAY = 1001;

/** What we give out, and what can stand in an address as it is. */
const TOKEN = /^Bearer +(?<token>[A-Za-z0-9_-]{43})$/i;
const PRESENTED_ID = /^[A-Za-z0-9._~-]{1,256}$/;

/** How long an older link may keep a newer one waiting. */
const HANDOVER_MS_MAX = 2_000;

/** Accepts the connections of editors, and keeps those that are open. */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #limits: LinkLimits;
  readonly #links = new Map<string, Set<Link>>();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: frameBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
    // A pong is a receipt: see link.ts.
    autoPong: false,
  });
  readonly #attempts: AttemptLimiter;
  #closing = false;

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultLinkLimits, ...options.limits };
    this.#attempts = new AttemptLimiter(options.attemptLimits);
  }

  /** Handles requests for a WebSocket. */
  readonly upgrade: UpgradeListener = (request, socket, head) => {
    // Whoever goes away before the answer has nobody to be told.
    socket.on("error", () => socket.destroy());
    this.#answer(request, socket, head).catch((error: unknown) => this.#fail(socket, error));
  };

  /** How many connections are open. */
  get size(): number {
    return this.#all().length;
  }

  /** Resolves when the links that the instance has now are closed and all they brought is taken in. */
  async settled(instanceId: string): Promise<void> {
    await Promise.all(Array.from(this.#links.get(instanceId) ?? [], ({ closed }) => closed));
  }

  /** Accepts no more, ends all connections, and resolves when all they brought is taken in. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const link of this.#all()) link.end(GOING_AWAY, "the bridge is stopping");
    await Promise.all(this.#all().map(({ closed }) => closed));
  }

  async #answer(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = URL.parse(request.url ?? "", "http://bridge");
    if (url?.pathname !== syncPath) return refuseUpgrade(socket, 404, "Not found");
    const { authorization = "", origin } = request.headers;
    if (origin !== undefined) return refuseUpgrade(socket, 403, "Not for browsers");
    if (authorization === "") return refuseUpgrade(socket, 401, "Authorization header required");
    if (this.#closing) return refuseUpgrade(socket, 503, "Stopping");
    const token = TOKEN.exec(authorization)?.groups?.["token"];
    const presentedId = url.searchParams.get("session_id") ?? "";
    if (token === undefined || !PRESENTED_ID.test(presentedId)) return refuseUpgrade(socket, 401, INVALID_TOKEN);
    const attempt = { address: request.socket.remoteAddress ?? "", presentedId };
    const waitMs = this.#attempts.waitMs(attempt, this.#nowMs());
    if (waitMs > 0) return refuseUpgrade(socket, 429, "Too many failed attempts", waitMs);
    const id = await this.#accept(attempt, token);
    await this.#upgrade(id, { request, socket, head });
  }

  async #accept(attempt: Attempt, token: string): Promise<LinkId> {
    try {
      const instanceId = (await findPresentingInstance(this.#options.app, attempt.presentedId)) ?? "";
      await this.#handOver(instanceId);
      const { epoch } = await acceptLink(this.#options.app, { instanceId, token });
      return { instanceId, epoch };
    } catch (error) {
      if (isInvalidToken(error)) this.#attempts.failed(attempt, this.#nowMs());
      throw error;
    }
  }

  async #upgrade(id: LinkId, { request, socket, head }: Handshake): Promise<void> {
    let opened = false;
    // It answers by itself where the handshake is none, and gives no socket where the peer has gone.
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      opened = true;
      const { app, log } = this.#options;
      this.#add(new Link({ app, id, socket: webSocket, limits: this.#limits, log }));
    });
    if (!opened) await closeLink(this.#options.app, id);
  }

  #add(link: Link): void {
    const { instanceId, epoch } = link.id;
    const links = this.#links.get(instanceId) ?? new Set();
    this.#links.set(instanceId, links.add(link));
    void this.#removeOnceClosed(link, links);
    const newest = Math.max(...Array.from(links, ({ id }) => id.epoch));
    for (const each of links) if (each.id.epoch < newest) each.end(REPLACED, "replaced by a newer connection");
    if (this.#closing && epoch === newest) link.end(GOING_AWAY, "the bridge is stopping");
  }

  async #removeOnceClosed(link: Link, links: Set<Link>): Promise<void> {
    await link.closed;
    links.delete(link);
    const { instanceId } = link.id;
    if (links.size === 0 && this.#links.get(instanceId) === links) this.#links.delete(instanceId);
  }

  /** Waits, but not for long, until what the instance's links have brought so far is taken in. */
  async #handOver(instanceId: string): Promise<void> {
    const links = this.#links.get(instanceId);
    if (links === undefined) return;
    const patience = new AbortController();
    const tooLong = this.#options.app.world.sleep(HANDOVER_MS_MAX, patience.signal).catch(() => {});
    await Promise.race([Promise.all(Array.from(links, (link) => link.drained())), tooLong]);
    patience.abort();
  }

  #fail(socket: Duplex, error: unknown): void {
    if (isInvalidToken(error)) return refuseUpgrade(socket, 401, INVALID_TOKEN);
    this.#options.log.warn({ err: error }, "a link could not be accepted");
    return isPassing(error) ? refuseUpgrade(socket, 503, "Try again") : refuseUpgrade(socket, 500, "Internal error");
  }

  #nowMs(): number {
    return this.#options.app.world.now().getTime();
  }

  #all(): Link[] {
    return Array.from(this.#links.values(), (links) => Array.from(links)).flat();
  }
}

const INVALID_TOKEN = "Invalid token";

function isInvalidToken(error: unknown): boolean {
  return error instanceof Refusal && error.reason === "LINK_TOKEN_INVALID";
}

interface Handshake {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}
