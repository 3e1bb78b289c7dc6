import { z } from "zod";
import { reportResult as report } from "../../application/report-result.ts";
import { defineTool } from "../tool.ts";

const SUMMARY_CHARACTERS_MAX = 16_384;

/** Lets an agent say how its session has gone. */
export const reportResult = defineTool({
  name: "report_result",
  title: "Report the result of your session",
  description:
    "Says how your own work session has gone, and ends it when your present turn ends: finish what you are saying, and " +
    "start nothing new. Report completed when the work is done, failed when it cannot be. What you report counts, " +
    "whatever else happens; whoever waits for this session is given the summary. If you report twice, the last counts.",
  input: z.strictObject({
    status: z.enum(["completed", "failed"]).describe("Whether the work is done, or cannot be."),
    summary: z
      .string()
      .trim()
      .min(1)
      .max(SUMMARY_CHARACTERS_MAX)
      .describe("What came of it and where to find it, or why it failed. At most 16,384 characters."),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: async ({ status, summary }, { app, agent }) => {
    const { ended } = await report(app, { mappingId: agent.session.mappingId, outcome: status, summary });
    return { reported: status, session_ends: ended ? "now" : "when this turn ends" };
  },
});
