// A link: one WebSocket to one editor
//
//   frames in  ──▶ inbox ──▶ parse ──▶ receiveEvent ──wake──┐
//                                                           ▼
//   frames out ◀── write ◀── claimCommands ◀── a ring, or now and then without one
//
// The link holds no facts. What an editor says goes into the database frame by frame, in order; what it is to be told is
// asked of the database, and only while the socket is open. A claimed command is given out once in an epoch, so one that
// cannot be written ends the connection: the editor connects again, that is a new epoch, and the database knows what is
// due then. The same repairs everything else that can go wrong here.
//
// Liveness. We ping; anything heard counts as a sign of life. While the inbox is full we do not listen, so silence then
// proves nothing.
//
// The end. When the socket has closed, what it had brought is taken in first; then the database is told that the link is
// closed. `closed` resolves after that.
import type { Log } from "@helix-zed/server";
import { encodeCommand, parseEvent, type SyncCommand } from "@helix-zed/sync-protocol";
import { WebSocket } from "ws";
import type { App } from "../application/app.ts";
import { claimCommands } from "../application/claim-commands.ts";
import { closeLink, type LinkId } from "../application/close-link.ts";
import { receiveEvent } from "../application/receive-event.ts";
import { isPassing, retry } from "../retry.ts";
import { Inbox } from "./inbox.ts";
import type { LinkLimits } from "./link-limits.ts";

/** What a link is made of. */
export interface LinkOptions {
  readonly app: App;
  readonly id: LinkId;
  readonly socket: WebSocket;
  readonly limits: LinkLimits;
  readonly log: Log;
}

/** One connection of one instance, from the upgrade to its end. */
export class Link {
  readonly id: LinkId;
  /** Resolves when everything that it brought is taken in and its end is recorded. Never rejects. */
  readonly closed: Promise<void>;
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  readonly #log: Log;
  readonly #inbox: Inbox;
  readonly #over = new AbortController();
  #oddFrames = 0;
  #triesLeft: number;

  constructor(options: LinkOptions) {
    const { id, socket, limits, log } = options;
    this.id = id;
    this.#options = options;
    this.#socket = socket;
    this.#triesLeft = limits.triesAfterCloseMax;
    this.#log = log.child({ instance: id.instanceId, epoch: id.epoch });
    this.#inbox = new Inbox({
      framesMax: limits.inboxFramesMax,
      charactersMax: limits.inboxCharactersMax,
      take: (frame) => this.#take(frame),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
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
    await Promise.all([this.#inbox.empty(), sending]);
    await this.#persist("recording the end of a link", () => closeLink(this.#options.app, this.id));
    this.#log.info({ code }, "an editor has disconnected");
  }

  #listen(): void {
    this.#socket.on("message", (data, isBinary) => {
      if (!isBinary && Buffer.isBuffer(data)) this.#inbox.add(data.toString("utf8"));
      else this.#complain("a binary frame was ignored");
    });
    this.#socket.on("error", (error) => this.#log.warn({ err: error }, "a link broke"));
  }

  #keepAlive(): void {
    const { pingIntervalMs, silenceMaxMs } = this.#options.limits;
    const pings = setInterval(() => this.#socket.ping(), pingIntervalMs);
    const silence = setTimeout(() => {
      if (this.#inbox.paused) silence.refresh();
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

  async #take(frame: string): Promise<void> {
    const parsed = parseEvent(frame);
    if (parsed.kind === "unknown") return this.#complain("an unknown event was ignored", { event: parsed.name });
    if (parsed.kind === "malformed") return this.#complain("a frame was ignored", { problem: parsed.problem });
    const { event } = parsed;
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
        for (const command of await this.#claim()) await this.#write(command);
        await ear.wait(limits.pollMs, this.#over.signal).catch(() => {});
      }
    } finally {
      ear.close();
    }
  }

  async #claim(): Promise<readonly SyncCommand[]> {
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
    await written.promise;
    clearTimeout(timer);
  }

  #cutOff(why: string): void {
    if (this.#over.signal.aborted) return;
    this.#log.warn({ why }, "a link is cut off");
    this.#socket.terminate();
  }

  /** The first, second, fourth, eighth … time: whoever sends nothing but rubbish does not fill the log. */
  #complain(message: string, details: Readonly<Record<string, string>> = {}): void {
    const count = ++this.#oddFrames;
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

  get #topic(): string {
    return `instance:${this.id.instanceId}`;
  }
}

function closeOf(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once("close", resolve));
}
