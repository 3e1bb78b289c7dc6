// The same cases with the agents that this project does not depend on: AGENTS=claude,gemini npm test -- tests/real-agents,
// or AGENTS=all. They are installed on demand, hundreds of megabytes each, and need some minutes; so without AGENTS there
// is nothing here but the proof that all of them have the same cases.
import { expect, test } from "vitest";
import { furtherAgents } from "./agent-profile.ts";
import { describeAgent } from "./describe-agent.ts";

const asked = (process.env["AGENTS"] ?? "").split(",").filter((name) => name !== "");

test("are known by the names that AGENTS has", () => {
  const known = ["all", ...furtherAgents.map(({ name }) => name)];
  expect(asked.filter((name) => !known.includes(name))).toEqual([]);
});

for (const profile of furtherAgents) {
  if (asked.includes("all") || asked.includes(profile.name)) describeAgent(profile);
}
