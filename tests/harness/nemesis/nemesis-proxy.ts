// A network that means ill
//
// Stands between editors and a bridge, and knows where their frames begin and end. What it does to a frame is decided by
// dice with a seed, in the order of the frames of each direction of each connection: it takes frames apart into pieces,
// lets them wait while others overtake on other connections, and cuts connections before, within and after them. A cut is
// a reset, a plain end, or silence: then both sides believe that they are connected, and nothing arrives any more until
// the connection is cut for good. A handshake that would fall silent is reset.
import { once } from "node:events";
import { createServer, connect, type Server, type Socket } from "node:net";
import { setImmediate as nextRound } from "node:timers/promises";
import { mustBeGoneAfterFile } from "../leaks.ts";
import { Dice } from "./dice.ts";
import { WebSocketFrames } from "./websocket-frames.ts";

/** How a connection is cut. */
export type Cut = "reset" | "end" | "silence";

/** How often it does what, of 1. */
export interface Mischief {
  /** A frame arrives in pieces. */
  readonly split: number;
  /** A frame waits for some rounds of the event loop. */
  readonly delay: number;
  /** The connection is cut somewhere in the frame. */
  readonly cut: number;
}

/** Where it stands, and what it is like. */
export interface NemesisOptions {
  readonly port: number;
  readonly seed: number;
  readonly mischief: Mischief;
}

const ROUNDS_MAX = 6;
const CUTS: readonly Cut[] = ["reset", "end", "silence"];

/** Carries connections to a port of the loopback interface, badly. */
export class NemesisProxy {
  readonly port: number;
  /** How many connections were cut. */
  cuts = 0;
  /** Counts whatever passes. */
  stirs = 0;
  /** How ill it means. */
  mischief: Mischief;
  #target: number;
  #busy = 0;
  readonly #server: Server;
  readonly #dice: Dice;
  readonly #pairs = new Set<Pair>();

  private constructor(server: Server, port: number, { port: target, seed, mischief }: NemesisOptions) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    this.#dice = new Dice(seed);
    this.mischief = mischief;
  }

  /** Listens on a free port of the loopback interface. */
  static async start(options: NemesisOptions): Promise<NemesisProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("A TCP listener has no port.");
    const proxy = new NemesisProxy(server, address.port, options);
    server.on("connection", (client) => proxy.#accept(client));
    mustBeGoneAfterFile({
      remains: async () => (server.listening ? "a nemesis proxy that listens" : undefined),
      discard: () => proxy.close(),
    });
    return proxy;
  }

  /** As in ZED_HELIX_URL. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Whether something is on its way. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** New connections lead there from now on. */
  leadTo(port: number): void {
    this.#target = port;
  }

  /** Cuts every connection of this moment; those that are silent already are over for both sides now. */
  cut(how: Cut): void {
    for (const pair of this.#pairs) {
      if (!pair.isSilent) this.cuts += 1;
      pair.cut(pair.isSilent && how === "silence" ? "reset" : how);
    }
  }

  /** Ends everything. */
  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.cut("reset");
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    const pair = new Pair(client, connect({ host: "127.0.0.1", port: this.#target }));
    this.#pairs.add(pair);
    const over = (): unknown => this.#pairs.delete(pair);
    void Promise.all([this.#carry(pair, client, pair.upstream), this.#carry(pair, pair.upstream, client)]).then(over);
  }

  async #carry(pair: Pair, from: Socket, to: Socket): Promise<void> {
    const frames = new WebSocketFrames();
    const dice = new Dice(this.#dice.below(2 ** 32));
    from.setNoDelay(true);
    from.on("error", () => {});
    let carrying = Promise.resolve();
    from.on("data", (bytes: Buffer) => {
      for (const frame of frames.push(bytes)) {
        this.#busy++;
        carrying = carrying.then(() => this.#pass(pair, to, frame, dice)).finally(() => this.#busy--);
      }
    });
    await new Promise((resolve) => from.once("close", resolve));
    await carrying;
    if (!pair.isSilent) to.destroy();
  }

  async #pass(pair: Pair, to: Socket, frame: Buffer, dice: Dice): Promise<void> {
    // Three throws for each frame, whatever comes of them: what happens to one does not change what happens to the next.
    const [fate, share, extent] = [dice.next(), dice.next(), dice.below(ROUNDS_MAX)];
    const { split, delay, cut } = this.mischief;
    this.stirs++;
    if (pair.isSilent) return;
    if (fate < cut) {
      to.write(frame.subarray(0, Math.floor(frame.length * share)));
      this.cuts += 1;
      return pair.cut(CUTS[extent % CUTS.length] ?? "reset");
    }
    if (fate < cut + delay) for (let rounds = 0; rounds < extent; rounds++) await nextRound();
    if (to === pair.client) pair.isOpen = true;
    const pieces = fate > 1 - split ? piecesOf(frame, 2 + extent) : [frame];
    for (const piece of pieces) {
      to.write(piece);
      if (pieces.length > 1) await nextRound();
    }
  }
}

/** One connection, both halves of it. */
class Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** The handshake is over: what falls silent before is taken for refused, as by any client that has patience. */
  isOpen = false;
  isSilent = false;

  constructor(client: Socket, upstream: Socket) {
    this.client = client;
    this.upstream = upstream;
  }

  cut(how: Cut): void {
    this.isSilent = how === "silence" && this.isOpen;
    if (this.isSilent) return;
    for (const socket of [this.client, this.upstream]) {
      if (how === "end") socket.destroySoon();
      else socket.resetAndDestroy();
    }
  }
}

function piecesOf(frame: Buffer, count: number): Buffer[] {
  const length = Math.max(1, Math.ceil(frame.length / count));
  return Array.from({ length: Math.ceil(frame.length / length) }, (_, index) =>
    frame.subarray(index * length, (index + 1) * length),
  );
}
