import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchZedThreadResponseSchema } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import type { ThreadChange, WatchedChange } from "../application/watch-zed-thread.ts";
import { entryMessage, threadMessage, turnMessage } from "./zed-thread-messages.ts";

type Message = MessageInitShape<typeof WatchZedThreadResponseSchema>;

/** One event of a watch as callers see it. */
export function changeMessage({ change, resumeToken }: WatchedChange): Message {
  return { resumeToken, event: eventOf(change) };
}

function eventOf(change: ThreadChange): NonNullable<Message["event"]> {
  switch (change.kind) {
    case "thread":
      return changed({ case: "zedThread", value: threadMessage(change.thread) });
    case "turn":
      return changed({ case: "turn", value: turnMessage(change) });
    case "entry":
      return changed({ case: "entry", value: entryMessage(change.entry) });
    case "thread_deleted":
      return { case: "deleted", value: { resource: { case: "zedThreadMappingId", value: change.id } } };
    case "entry_deleted":
      return { case: "deleted", value: { resource: { case: "entryId", value: change.id } } };
    case "synced":
      return { case: "synced", value: {} };
    case "progress":
      return { case: "progress", value: {} };
    default:
      return change satisfies never;
  }
}

type Changed = Extract<NonNullable<Message["event"]>, { case: "changed" }>;

function changed(resource: NonNullable<Changed["value"]["resource"]>): Changed {
  return { case: "changed", value: { resource } };
}
