import { integer, list, required, serviceSettings, tokensSetting, url, withDefault } from "@helix-zed/server";
import { defaultLimits } from "./domain/limits.ts";

const DEFAULT_PORT = 8081;

const agentTypes = ["simple", "helix_agent", "zed_agent", "zed_claude_code", "zed_gemini_cli", "zed_qwen_code"];

/** The settings of the task-service. */
export const settings = {
  ...serviceSettings(DEFAULT_PORT),
  tokens: tokensSetting(),
  databaseUrl: required("DATABASE_URL", url("postgres", "postgresql")),
  agentTypes: withDefault("HELIX_ZED_AGENT_TYPES", agentTypeList, agentTypes),
  leaseMs: withDefault(
    "HELIX_ZED_LEASE_MS",
    integer({ min: 500, max: 3_600_000, unit: "milliseconds" }),
    defaultLimits.leaseMs,
  ),
};

function agentTypeList(text: string): readonly string[] {
  const names = list()(text);
  const wrong = names.find((name) => !/^[a-z][a-z0-9_]{0,62}$/.test(name));
  if (wrong !== undefined) throw new Error(`must be names of lower case letters, digits and _, which ${wrong} is not`);
  return names;
}
