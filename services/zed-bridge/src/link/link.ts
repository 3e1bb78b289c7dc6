// A link: one WebSocket to one editor
//
//   frames in  ──▶ parse ──▶ inbox ──▶ receiveEvent ──wake──┐
//                                                           ▼
//   frames out ◀── write ◀── claimCommands ◀── a ring, or now and then without one
//
// The link holds no facts. What an editor says goes into the database frame by frame, in order; what it is to be told is
// asked of the database, and only while the socket is open. A claimed command is given out once in an epoch, so one that
// cannot be written ends the connection: the editor connects again, that is a new epoch, and the database knows what is
// due then. The same repairs everything else that can go wrong here. A link that finds that it is not the current one any
// more, because a newer one has come, the token was revoked or the process ended, closes itself.
//
// Receipts. A pong can be sent only by who has read all that came before the ping. So an editor's ping is answered when
// all that it had sent before is in the database, and not earlier: acp-host keeps its events until then. And a prompt is
// followed by a ping of ours with the turn's id: its pong proves that the editor has the prompt.
//
// Liveness. We ping; anything heard counts as a sign of life. While we do not read, silence proves nothing. What comes too
// fast waits (flow.ts); who sends little but frames that are none loses the connection.
//
// The end. When the socket has closed, what it had brought is taken in first; then the database is told that the link is
// closed. `closed` resolves after that.
import type { Log } from "@helix-zed/server";
import { encodeCommand, EventReader, type SyncCommand, type SyncEvent } from "@helix-zed/sync-protocol";
import { WebSocket } from "ws";
import type { App } from "../application/app.ts";
import { claimCommands } from "../application/claim-commands.ts";
import { closeLink, type LinkId } from "../application/close-link.ts";
import { receiveEvent } from "../application/receive-event.ts";
import { recordReceipt } from "../application/record-receipt.ts";
import { isPassing, retry } from "../retry.ts";
import { Flow } from "./flow.ts";
import { Inbox, type Piece } from "./inbox.ts";
import type { LinkLimits } from "./link-limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What a link is made of. */
export interface LinkOptions {
  readonly app: App;
  readonly id: LinkId;
  readonly socket: WebSocket;
  readonly limits: LinkLimits;
  readonly log: Log;
}

/** Close codes: a newer connection, launch or token has taken the place of this one's; it does not keep to the protocol. */
export const REPLACED = 4001;
const NOT_ACCEPTED = 1008;

interface Heard extends Piece {
  readonly event: SyncEvent;
}

/** One connection of one instance, from the upgrade to its end. */
export class Link {
  readonly id: LinkId;
  /** Resolves when everything that it brought is taken in and its end is recorded. Never rejects. */
  readonly closed: Promise<void>;
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  readonly #log: Log;
  readonly #reader = new EventReader();
  readonly #inbox: Inbox<Heard>;
  readonly #flow: Flow;
  readonly #oddFrames: TokenBucket;
  readonly #over = new AbortController();
  #oddFrameCount = 0;
  #tooFastCount = 0;
  #triesLeft: number;

  constructor(options: LinkOptions) {
    const { id, socket, limits, log } = options;
    this.id = id;
    this.#options = options;
    this.#socket = socket;
    this.#triesLeft = limits.triesAfterCloseMax;
    this.#log = log.child({ instance: id.instanceId, epoch: id.epoch });
    this.#oddFrames = new TokenBucket(limits.oddFrameRate, this.#nowMs());
    this.#flow = new Flow({
      ...limits,
      nowMs: () => this.#nowMs(),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      onTooFast: () => this.#warnSeldom(++this.#tooFastCount, "an editor sends too much and is made to wait"),
    });
    this.#inbox = new Inbox({
      framesMax: limits.inboxFramesMax,
      charactersMax: limits.inboxCharactersMax,
      take: ({ event }) => this.#take(event),
      pause: () => this.#flow.stop("inbox"),
      resume: () => this.#flow.go("inbox"),
    });
    this.closed = this.#run();
  }

  /** Resolves when everything that has come so far is taken in. */
  drained(): Promise<void> {
    return this.#inbox.empty();
  }

  /** Ends the connection; whoever does not answer is cut off. */
  end(code: number, reason: string): void {
    this.#socket.close(code, reason);
    const timer = setTimeout(() => this.#socket.terminate(), this.#options.limits.closeTimeoutMs);
    this.#over.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  async #run(): Promise<void> {
    this.#log.info("an editor is connected");
    this.#listen();
    this.#keepAlive();
    const sending = this.#sendWhatIsDue();
    const code = await closeOf(this.#socket);
    this.#over.abort();
    this.#flow.end();
    await Promise.all([this.#inbox.empty(), sending]);
    await this.#persist("recording the end of a link", () => closeLink(this.#options.app, this.id));
    this.#log.info({ code }, "an editor has disconnected");
  }

  #listen(): void {
    this.#socket.on("message", (data, isBinary) => {
      if (!Buffer.isBuffer(data)) return;
      this.#flow.count(data.length);
      if (isBinary) this.#complain("a binary frame was ignored");
      else this.#hear(data.toString("utf8"));
    });
    this.#socket.on("ping", (payload) => void this.#acknowledge(payload));
    this.#socket.on("pong", (payload) => void this.#noteReceipt(payload.toString("latin1")));
    this.#socket.on("error", (error) => this.#log.warn({ err: error }, "a link broke"));
  }

  #hear(frame: string): void {
    const read = this.#reader.read(frame);
    if (read.kind === "unknown") return this.#complain("an unknown event was ignored", { event: read.name });
    if (read.kind === "malformed") return this.#complain("a frame was ignored", { problem: read.problem });
    for (const event of read.events) this.#inbox.add({ event, key: keyOf(event), characters: frame.length });
  }

  async #acknowledge(payload: Buffer): Promise<void> {
    this.#flow.count(payload.length);
    await this.#inbox.empty();
    if (this.#isOpen) this.#socket.pong(payload);
  }

  async #noteReceipt(turnId: string): Promise<void> {
    this.#flow.count(turnId.length);
    if (turnId === "") return;
    await this.#persist("a receipt", () => recordReceipt(this.#options.app, { ...this.id, turnId }));
  }

  #keepAlive(): void {
    const { pingIntervalMs, silenceMaxMs } = this.#options.limits;
    const pings = setInterval(() => this.#socket.ping(), pingIntervalMs);
    const silence = setTimeout(() => {
      if (this.#flow.stopped) silence.refresh();
      else this.#cutOff("nothing was heard for too long");
    }, silenceMaxMs);
    const heard = (): unknown => silence.refresh();
    this.#socket.on("message", heard).on("pong", heard).on("ping", heard);
    this.#over.signal.addEventListener(
      "abort",
      () => {
        clearInterval(pings);
        clearTimeout(silence);
        this.#socket.off("message", heard).off("pong", heard).off("ping", heard);
      },
      { once: true },
    );
  }

  async #take(event: SyncEvent): Promise<void> {
    const { app } = this.#options;
    const received = await this.#persist(event.event_type, () => receiveEvent(app, { ...this.id, event }));
    if (received?.ignored) this.#log.debug({ event: event.event_type, why: received.ignored }, "an event was ignored");
    if (received?.wake) app.database.doorbell.ring(this.#topic);
  }

  async #sendWhatIsDue(): Promise<void> {
    const { app, limits } = this.#options;
    const ear = app.database.doorbell.listen(this.#topic);
    try {
      while (this.#isOpen) {
        const commands = await this.#claim();
        if (commands === null) return this.end(REPLACED, "another connection or launch has taken over");
        for (const command of commands) await this.#write(command);
        await ear.wait(limits.pollMs, this.#over.signal).catch(() => {});
      }
    } finally {
      ear.close();
    }
  }

  async #claim(): Promise<readonly SyncCommand[] | null> {
    try {
      return await claimCommands(this.#options.app, this.id);
    } catch (error) {
      // Perhaps they were claimed and the answer was lost: only a new epoch gives them out again.
      this.#log.error({ err: error }, "commands could not be claimed");
      this.#cutOff("commands could not be claimed");
      return [];
    }
  }

  async #write(command: SyncCommand): Promise<void> {
    const timer = setTimeout(() => this.#cutOff("it does not read"), this.#options.limits.writeTimeoutMs);
    const written = Promise.withResolvers<void>();
    this.#socket.send(encodeCommand(command), (error) => {
      if (error) this.#cutOff("a frame could not be written");
      written.resolve();
    });
    // Its pong is the receipt.
    if (command.type === "chat_message" && this.#isOpen) this.#socket.ping(command.data.request_id);
    await written.promise;
    clearTimeout(timer);
  }

  #cutOff(why: string): void {
    if (this.#over.signal.aborted) return;
    this.#log.warn({ why }, "a link is cut off");
    this.#socket.terminate();
  }

  #complain(message: string, details: Readonly<Record<string, string>> = {}): void {
    this.#warnSeldom(++this.#oddFrameCount, message, details);
    this.#oddFrames.take(1, this.#nowMs());
    if (this.#oddFrames.waitMs(this.#nowMs()) === 0 || !this.#isOpen) return;
    this.#log.warn({ count: this.#oddFrameCount }, "a link is closed: little of what it brings is of the protocol");
    this.end(NOT_ACCEPTED, "too many frames that are none");
  }

  /** The first, second, fourth, eighth … time: whoever sends nothing but rubbish does not fill the log. */
  #warnSeldom(count: number, message: string, details: Readonly<Record<string, string>> = {}): void {
    if ((count & (count - 1)) === 0) this.#log.warn({ ...details, count }, message);
  }

  /** Does it until it succeeds: for as long as the link is open, and for all frames together a few times after that. */
  async #persist<T>(doing: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await retry(work, { world: this.#options.app.world, again: (error) => this.#mayTryAgain(error) });
    } catch (error) {
      this.#log.error({ err: error, doing }, "an event could not be taken in");
      return undefined;
    }
  }

  #mayTryAgain(error: unknown): boolean {
    if (!isPassing(error)) return false;
    if (this.#over.signal.aborted) this.#triesLeft--;
    return this.#triesLeft > 0;
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #nowMs(): number {
    return this.#options.app.world.now().getTime();
  }

  get #topic(): string {
    return `instance:${this.id.instanceId}`;
  }
}

/** What an entry says is all there is to say of it: the newest state stands for those before. */
function keyOf({ event_type: name, data }: SyncEvent): string | null {
  if (name !== "message_added") return null;
  return JSON.stringify([data.acp_thread_id, data.message_id, data.request_id, data.role, data.entry_type]);
}

function closeOf(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once("close", resolve));
}
