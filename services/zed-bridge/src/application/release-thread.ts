import type { App } from "./app.ts";

/** The lease of a session is lost: nothing more is sent for it and nothing reported; what was done is kept. */
export async function releaseThread(_app: App, _command: { readonly workSessionId: string }): Promise<void> {
  throw new Error("not written yet");
}
