import type { App } from "../application/app.ts";
import { listReports, type Report } from "../application/list-reports.ts";
import { sendMessage } from "../application/send-message.ts";
import type { ThreadView } from "../application/thread-view.ts";
import type { Turn } from "../domain/turn.ts";
import {
  type BridgeApp,
  type ClaimedSession,
  claimSession,
  type ClaimOptions,
  openBridgeApp,
  runner,
} from "./bridge-app.ts";
import { ann, threadOf, transcriptOf, turnsOf } from "./read-thread.ts";
import { ScriptedEditor } from "./scripted-editor.ts";
import { SimulatedWorld } from "./simulated-world.ts";

/** One claimed session and its editor, with a clock that a test moves. */
export class Stage {
  readonly world = new SimulatedWorld();
  #bridge: BridgeApp | undefined;
  #session: ClaimedSession | undefined;
  #editor: ScriptedEditor | undefined;

  /** Opens the database. */
  async open(parts: Partial<App> = {}): Promise<void> {
    this.#bridge = await openBridgeApp({ world: this.world, ...parts });
  }

  async close(): Promise<void> {
    await this.#bridge?.close();
  }

  /** Claims a new session, whose editor is connected and ready. */
  async begin(options: ClaimOptions = {}): Promise<void> {
    this.#session = await claimSession(this.app, options);
    this.#editor = new ScriptedEditor(this.app, this.#session.instanceId);
    await this.#editor.start();
  }

  get app(): App {
    return required(this.#bridge).app;
  }

  get session(): ClaimedSession {
    return required(this.#session);
  }

  get editor(): ScriptedEditor {
    return required(this.#editor);
  }

  thread(): Promise<ThreadView> {
    return threadOf(this.app, this.session.workSessionId);
  }

  turns(): Promise<string[]> {
    return turnsOf(this.app, this.session.workSessionId);
  }

  transcript(): Promise<string[]> {
    return transcriptOf(this.app, this.session.workSessionId);
  }

  /** What task-service is owed about the session. */
  async report(): Promise<Report | undefined> {
    const reports = await listReports(this.app, { runner });
    return reports.find(({ workSessionId }) => workSessionId === this.session.workSessionId);
  }

  send(message: string, { interrupt = false }: { readonly interrupt?: boolean } = {}): Promise<Turn> {
    const { workSessionId } = this.session;
    return sendMessage(this.app, ann, { workSessionId, message, interrupt, requestId: "" });
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The stage is not set yet.");
  return value;
}
