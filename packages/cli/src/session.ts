import type { Client } from "@helix-zed/client";
import type { Output } from "./output.ts";

/** What a command works with. */
export interface Session {
  readonly client: Client;
  readonly output: Output;
  /** Notes for people that are no result. */
  readonly note: (text: string) => void;
  /** Aborts at Ctrl-C and at the end of `--timeout`. */
  readonly signal: AbortSignal;
}

/** Opens a session for the command that runs: reads the settings, and connects when it first calls. */
export type OpenSession = () => Session;
