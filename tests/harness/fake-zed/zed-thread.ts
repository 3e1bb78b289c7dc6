// A thread in the editor's memory
//
// A list of entries, of which prompts are some, and at most one turn that runs. Whoever sends while one runs stops it
// first. An agent plays its plan step by step; each step changes an entry and says which. A turn ends once: by its plan's
// end, by an error, or by being cancelled, which does not wait for the agent.
import type { TokenUsage, ToolStatus } from "@helix-zed/sync-protocol";
import type { AgentPlan, AgentScript, AgentStep } from "./agent-plan.ts";
import type { AgentRecord, StoredThread, ZedDataFolder } from "./zed-data-folder.ts";
import type { ZedWorld } from "./zed-world.ts";

/** One entry of a thread; its index is its name on the wire. */
export interface ZedEntry {
  readonly role: "user" | "assistant";
  readonly type: "text" | "tool_call";
  readonly toolId: string;
  /** Came over the wire, and is not echoed. */
  readonly external: boolean;
  content: string;
  toolName: string;
  toolStatus: ToolStatus | "";
}

/** What happens in a thread. */
export type ThreadEvent =
  | { readonly kind: "new_entry"; readonly index: number }
  | { readonly kind: "entry_updated"; readonly index: number }
  | { readonly kind: "stopped"; readonly usage: TokenUsage | null }
  | { readonly kind: "error"; readonly error: string };

/** What a thread needs of its process. */
export interface ThreadSurroundings {
  readonly world: ZedWorld;
  readonly data: ZedDataFolder;
  readonly script: AgentScript;
  readonly life: number;
  /** Resolves when the test lets those go on who hold at this name. */
  readonly held: (name: string) => Promise<void>;
  /** The agent's process has died, with all of its threads. */
  readonly agentDied: (agentName: string) => void;
  /** Something happened: who waits for quiet waits a little longer. */
  readonly stir: () => void;
}

/** A prompt on its way into a thread. */
export interface ThreadPrompt {
  readonly message: string;
  /** Empty for one that was typed in the editor. */
  readonly requestId: string;
  readonly external: boolean;
}

interface RunningTurn {
  readonly record: AgentRecord;
  readonly firstIndex: number;
  readonly done: PromiseWithResolvers<void>;
  usage: TokenUsage | null;
  over: boolean;
}

/** What an agent that died leaves behind as an error. */
const EXITED = "The agent exited mid-turn or hit max tokens";

/** One thread that is in memory. */
export class ZedThread {
  readonly id: string;
  readonly agentName: string;
  readonly entries: ZedEntry[];
  /** Hears what happens; set by who subscribes. */
  listener: (event: ThreadEvent) => void = () => {};
  readonly #stored: StoredThread;
  readonly #around: ThreadSurroundings;
  #turn: RunningTurn | null = null;
  /** The agent was told to stop before it had begun, and does not get over it. */
  #wedged = false;

  constructor(stored: StoredThread, around: ThreadSurroundings) {
    this.id = stored.id;
    this.agentName = stored.agentName;
    this.entries = structuredClone([...stored.entries]);
    this.#stored = stored;
    this.#around = around;
  }

  get isGenerating(): boolean {
    return this.#turn !== null;
  }

  /** Where the present turn's own entries begin: after the last prompt. */
  get turnStart(): number {
    return this.entries.findLastIndex(({ role }) => role === "user") + 1;
  }

  /** Hands a prompt to the agent; resolves when the turn has ended, however. */
  send({ message, requestId, external }: ThreadPrompt): Promise<void> {
    this.cancel({});
    this.#add({ role: "user", type: "text", toolId: "", external, content: message, toolName: "", toolStatus: "" });
    this.#store();
    const { data, life, script } = this.#around;
    const attempt = 1 + data.records.filter((each) => requestId !== "" && each.requestId === requestId).length;
    const record: AgentRecord = {
      requestId,
      threadId: this.id,
      message,
      life,
      attempt,
      end: "running",
      said: [],
      versions: new Set(),
    };
    data.records.push(record);
    const done = Promise.withResolvers<void>();
    const turn: RunningTurn = { record, firstIndex: this.entries.length, done, usage: null, over: false };
    this.#turn = turn;
    const plan = this.#wedged
      ? [{ kind: "hang" as const }]
      : script({ message, threadId: this.id, requestId, attempt });
    void this.#play(turn, plan);
    return done.promise;
  }

  /** Stops the running turn at once. Returns whether there was one. */
  cancel({ wedges = false }: { readonly wedges?: boolean }): boolean {
    const turn = this.#turn;
    if (turn === null) return false;
    if (wedges && this.entries.length === turn.firstIndex) this.#wedged = true;
    for (const [index, entry] of this.entries.entries()) {
      if (entry.toolStatus !== "Pending" && entry.toolStatus !== "In Progress") continue;
      if (index >= turn.firstIndex) this.#change(turn, index, { toolStatus: "Canceled" });
    }
    this.#end(turn, "cancelled");
    this.listener({ kind: "stopped", usage: turn.usage });
    return true;
  }

  /** The process of the editor, or of the agent, is gone: nothing more is heard. */
  abandon(): void {
    this.listener = () => {};
    if (this.#turn !== null) this.#end(this.#turn, "lost");
  }

  /** Ends the running turn with an error. */
  fail(error: string): void {
    const turn = this.#turn;
    if (turn === null) return;
    this.#end(turn, "failed");
    this.listener({ kind: "error", error });
  }

  async #play(turn: RunningTurn, plan: AgentPlan): Promise<void> {
    for (const step of plan) {
      // An agent is another process: nothing it does happens in the moment in which it is asked.
      await Promise.resolve();
      if (turn.over && turn.record.end !== "stopped") return;
      this.#around.stir();
      if (step.kind === "hang") return;
      if (step.kind === "wait") await this.#around.world.sleep(step.durationMs);
      else if (step.kind === "hold") await this.#around.held(step.name);
      else this.#do(turn, step);
    }
    await Promise.resolve();
    this.#stop(turn);
  }

  #do(turn: RunningTurn, step: Exclude<AgentStep, { kind: "wait" | "hold" | "hang" }>): void {
    switch (step.kind) {
      case "say":
      case "think":
        return this.#say(turn, step.kind === "say" ? step.text : `<thinking>\n${step.text}\n</thinking>`);
      case "begin":
        return this.#begin(turn, step.text);
      case "rewrite":
        return this.#change(turn, turn.firstIndex + step.entry, { content: step.text });
      case "tool":
        return this.#tool(turn, step);
      case "usage":
        turn.usage = step.usage;
        return;
      case "stop":
        return this.#stop(turn);
      case "fail":
        return this.fail(step.error);
      case "crash":
        this.fail(EXITED);
        this.#around.agentDied(this.agentName);
    }
  }

  #stop(turn: RunningTurn): void {
    if (turn.over) return;
    this.#end(turn, "stopped");
    this.#store();
    this.listener({ kind: "stopped", usage: turn.usage });
  }

  #end(turn: RunningTurn, how: AgentRecord["end"]): void {
    turn.over = true;
    turn.record.end = how;
    if (this.#turn === turn) this.#turn = null;
    turn.done.resolve();
    this.#around.stir();
  }

  #say(turn: RunningTurn, text: string): void {
    const last = this.entries.at(-1);
    const goesOn = last?.type === "text" && last.role === "assistant" && this.entries.length > turn.firstIndex;
    if (goesOn) this.#change(turn, this.entries.length - 1, { content: last.content + text });
    else this.#begin(turn, text);
  }

  #begin(turn: RunningTurn, content: string): void {
    this.#add({ role: "assistant", type: "text", toolId: "", external: false, content, toolName: "", toolStatus: "" });
    this.#note(turn);
  }

  #tool(turn: RunningTurn, { id, name, status, content = "" }: Extract<AgentStep, { kind: "tool" }>): void {
    const text = `**Tool Call: ${name}**\nStatus: ${status}\n\n${content}`;
    const index = this.entries.findIndex(({ toolId }, at) => toolId === id && at >= turn.firstIndex);
    if (index >= 0) return this.#change(turn, index, { content: text, toolStatus: status });
    const place = { role: "assistant", type: "tool_call", toolId: id, external: false } as const;
    this.#add({ ...place, content: text, toolName: name, toolStatus: status });
    this.#note(turn);
  }

  #add(entry: ZedEntry): void {
    this.entries.push(entry);
    this.listener({ kind: "new_entry", index: this.entries.length - 1 });
  }

  #change(turn: RunningTurn, index: number, change: Partial<Pick<ZedEntry, "content" | "toolStatus">>): void {
    const entry = this.entries[index];
    if (entry === undefined) throw new Error(`The plan changes the entry ${index}, and there is none.`);
    Object.assign(entry, change);
    this.#note(turn);
    this.listener({ kind: "entry_updated", index });
  }

  /** What was said, for the record: up to the next prompt. */
  #note(turn: RunningTurn): void {
    const next = this.entries.findIndex(({ role }, index) => role === "user" && index >= turn.firstIndex);
    const own = this.entries.slice(turn.firstIndex, next === -1 ? undefined : next);
    turn.record.said = own.map(({ content }) => content);
    for (const content of turn.record.said) turn.record.versions.add(content);
  }

  #store(): void {
    this.#stored.entries = structuredClone(this.entries);
  }
}
