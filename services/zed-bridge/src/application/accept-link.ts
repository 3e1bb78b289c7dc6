import type { App } from "./app.ts";

/** Who wants to connect, and what it shows for it. */
export interface AcceptLink {
  readonly instanceId: string;
  readonly token: string;
}

/** Begins a new epoch of the instance's link; older ones are fenced. Refuses with LINK_TOKEN_INVALID, whatever is wrong. */
export async function acceptLink(_app: App, _command: AcceptLink): Promise<{ readonly epoch: number }> {
  throw new Error("not written yet");
}
