/** An agent as the editor knows it. */
export interface Agent {
  /** Its name on the wire: `zed-agent`, `claude`, `gemini`, `qwen`, `codex`, `opencode`. */
  readonly wireName: string;
}

/** The agents that this bridge can drive, by the agent type of work sessions. */
export type Agents = ReadonlyMap<string, Agent>;
