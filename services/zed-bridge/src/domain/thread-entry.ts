import { defineEntity, p } from "@mikro-orm/core";

/** Who speaks in an entry. */
export type EntryRole = "user" | "assistant";

/** What kind of entry it is. */
export type EntryType = "text" | "tool_call";

const ThreadEntrySchema = defineEntity({
  name: "ThreadEntry",
  tableName: "thread_entries",
  properties: {
    id: p.string().primary(),
    mappingId: p.string(),
    turnId: p.string(),
    turnNumber: p.integer(),
    /** 0 for the prompt. */
    attempt: p.integer(),
    /** The life of the editor's process in which the message id means something; 0 for the prompt. */
    launch: p.integer(),
    /** The connection that it was last heard on. */
    epoch: p.integer(),
    messageId: p.string(),
    position: p.integer(),
    role: p.string().$type<EntryRole>(),
    type: p.string().$type<EntryType>(),
    content: p.text(),
    toolName: p.text(),
    toolStatus: p.text(),
    version: p.bigint("number"),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** One piece of a transcript: a message or a tool call, whole. */
export class ThreadEntry extends ThreadEntrySchema.class {}
ThreadEntrySchema.setClass(ThreadEntry);
