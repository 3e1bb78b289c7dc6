import { z } from "zod";

/** How a tool takes a work session. */
export const sessionId = z
  .string()
  .min(1)
  .max(64)
  .describe("The id of a work session of this task: ws_ and 32 digits.");
