import { RequestError } from "@agentclientprotocol/sdk/unstable";
import { z } from "zod";

/** Something expected went wrong; the message is written for the person who asked. */
export class Failure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Failure";
  }
}

/** The thread does not exist, for certain: whoever holds its id should forget it. */
export class MissingThread extends Failure {
  constructor(threadId: string) {
    // Receivers know a thread to be gone by this wording of Zed's.
    super(`no thread found with ID: SessionId("${threadId}")`);
    this.name = "MissingThread";
  }
}

const details = z.union([z.object({ details: z.string() }), z.object({ message: z.string() })]);
const messageCharsMax = 4_000;

/** What an agent's error says; the useful part is often in its data. */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof RequestError)) return message.slice(0, messageCharsMax);
  const more = details.safeParse(error.data).data;
  const detail = more === undefined ? textOrNothing(error.data) : "details" in more ? more.details : more.message;
  return (detail === undefined || message.includes(detail) ? message : detail).slice(0, messageCharsMax);
}

function textOrNothing(data: unknown): string | undefined {
  return typeof data === "string" && data !== "" ? data : undefined;
}

const resourceNotFound = -32002;
const goneWordings = /no rollout found|invalid session identifier|session not found/i;

/** Whether the agent says that it does not have this session. */
export function saysSessionIsGone(error: unknown): boolean {
  return error instanceof RequestError && (error.code === resourceNotFound || goneWordings.test(describeError(error)));
}
