import type { Watch, WatchMessage } from "@helix-zed/client";
import type { Session } from "./session.ts";

/** Hands on each message of a watch until it ends or Ctrl-C, and tells the person how the connection is. */
export async function followWatch<Message extends WatchMessage>(
  { note, signal }: Session,
  watch: Watch<Message>,
  show: (message: Message) => void,
): Promise<void> {
  watch.subscribe(() => {
    const { state, error } = watch.status;
    if (state === "waiting") note(`The connection broke, trying again: ${error instanceof Error ? error.message : ""}`);
  });
  for await (const event of watch) if (event.kind === "message") show(event.message);
  signal.throwIfAborted();
}
