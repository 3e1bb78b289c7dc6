import { defineEntity, p } from "@mikro-orm/core";

/** What a Helix session is for. */
export type SessionRole = "task_coordinator" | "work_session";

/** Where its id comes from: made up here, given by the caller, or Helix's own. */
export type SessionOrigin = "minted" | "caller" | "helix";

const SessionRecordSchema = defineEntity({
  name: "SessionRecord",
  tableName: "sessions",
  properties: {
    id: p.string().primary(),
    tenant: p.string(),
    role: p.string().$type<SessionRole>(),
    origin: p.string().$type<SessionOrigin>(),
    taskId: p.string(),
    workSessionId: p.string().strictNullable(),
    agentType: p.string(),
    createdAt: p.datetime(),
  },
});

/** What is known here of a Helix session: each is one to one with a work session, or coordinates a task. */
export class SessionRecord extends SessionRecordSchema.class {}
SessionRecordSchema.setClass(SessionRecord);
