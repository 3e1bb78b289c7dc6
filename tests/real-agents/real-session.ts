import { eventually } from "@helix-zed/harness/eventually.ts";
import type { Json } from "@helix-zed/harness/rest-client.ts";
import type { AgentStage } from "./agent-stage.ts";

const OVER = ["completed", "failed", "interrupted"];

/** A work session that a real agent carries out, as a caller of the REST paths sees it. */
export class RealSession {
  readonly id: string;
  readonly #stage: AgentStage;

  constructor(stage: AgentStage, id: string) {
    this.#stage = stage;
    this.id = id;
  }

  get #path(): string {
    return `/api/v1/work-sessions/${this.id}/zed-thread`;
  }

  /** The thread as it is. */
  async thread(): Promise<Json> {
    return (await this.#stage.rest.get(this.#path)).body;
  }

  /** Says something; gives the turn's number. */
  async say(message: string, more: Json = {}): Promise<number> {
    const { status, body } = await this.#stage.rest.post(`${this.#path}/messages`, { message, ...more });
    if (status !== 200) throw new Error(`nothing can be said: ${JSON.stringify(body)}`);
    return body["number"];
  }

  async cancel(): Promise<void> {
    await this.#stage.rest.post(`${this.#path}:cancel`);
  }

  /** A turn, once it has ended. */
  ended(number: number): Promise<Json> {
    return this.#turn(number, `turn ${number} has ended`, (turn) => OVER.includes(turn["status"]));
  }

  /** A turn, once its agent asks for something. */
  asked(number: number, { attempt = 1 } = {}): Promise<Json> {
    const asks = (turn: Json): boolean => turn["attempt"] === attempt && (turn["permission_requests"] ?? []).length > 0;
    return this.#turn(number, `turn ${number} asks`, asks);
  }

  /** A turn, once its agent has said something and the bridge has stored it. */
  async heard(number: number): Promise<void> {
    const turn = await this.#turn(number, `turn ${number} has begun`, () => true);
    await eventually(
      `something was said in turn ${number}`,
      async () => (await this.entries()).some(({ turn_id: id, role }) => id === turn["id"] && role === "assistant"),
      this.#stage.profile.patienceMs,
    );
  }

  /** Answers a request for permission; gives the whole answer to that. */
  answer(permissionId: string, answer: Json) {
    return this.#stage.rest.post(`${this.#path}/permissions/${permissionId}:answer`, answer);
  }

  /** The transcript. */
  async entries(): Promise<Json[]> {
    const { body } = await this.#stage.rest.get(`${this.#path}/entries?page_size=1000`);
    return body["entries"] ?? [];
  }

  /** What the agent has said and done in a turn, as one text. */
  async answerOf(number: number): Promise<string> {
    const turn = (await this.turns()).find((each) => each["number"] === number);
    const entries = (await this.entries()).filter(
      ({ turn_id: id, role }) => id === turn?.["id"] && role === "assistant",
    );
    return entries.map(({ content }) => content).join("\n");
  }

  /** All turns, by the snapshot of a watch. */
  async turns(): Promise<Json[]> {
    const over = new AbortController();
    const turns: Json[] = [];
    for await (const { event, data } of this.#stage.rest.watch(`${this.#path}:watch`, { signal: over.signal })) {
      const turn = data["changed"]?.["turn"];
      if (turn !== undefined) turns.push(turn);
      if (event === "synced") break;
    }
    over.abort();
    return turns;
  }

  #turn(number: number, wanted: string, condition: (turn: Json) => boolean): Promise<Json> {
    const ask = async (): Promise<Json | undefined> => {
      const latest = (await this.thread())["latest_turn"];
      const turn = latest?.["number"] === number ? latest : undefined;
      return turn !== undefined && condition(turn) ? turn : undefined;
    };
    return eventually(wanted, ask, this.#stage.profile.patienceMs);
  }
}
