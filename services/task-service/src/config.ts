import { authenticationSettings, integer, list, required, serviceSettings, url, withDefault } from "@helix-zed/server";
import { defaultLimits } from "./domain/limits.ts";

const DEFAULT_PORT = 8081;

const agentTypes = [
  "simple",
  "helix_agent",
  "zed_agent",
  "zed_claude_code",
  "zed_gemini_cli",
  "zed_qwen_code",
  "zed_codex_cli",
  "zed_opencode",
];

/** The settings of the task-service. */
export const settings = {
  ...serviceSettings(DEFAULT_PORT),
  ...authenticationSettings(),
  databaseUrl: required("DATABASE_URL", url("postgres", "postgresql")),
  agentTypes: withDefault("HELIX_ZED_AGENT_TYPES", agentTypeList, agentTypes),
  leaseMs: withDefault(
    "HELIX_ZED_LEASE_MS",
    integer({ min: 500, max: 3_600_000, unit: "milliseconds" }),
    defaultLimits.leaseMs,
  ),
  watchesPerActorMax: withDefault(
    "HELIX_ZED_WATCHES_PER_ACTOR_MAX",
    integer({ min: 1, max: 1_000_000, unit: "watches" }),
    defaultLimits.watchesPerActorMax,
  ),
  requestRetentionMs: withDefault(
    "HELIX_ZED_REQUEST_RETENTION_MS",
    integer({ min: 60_000, max: 30 * 24 * 60 * 60 * 1_000, unit: "milliseconds" }),
    defaultLimits.requestRetentionMs,
  ),
  logRetentionMs: withDefault(
    "HELIX_ZED_LOG_RETENTION_MS",
    integer({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: "milliseconds" }),
    defaultLimits.logRetentionMs,
  ),
  logRetentionChanges: withDefault(
    "HELIX_ZED_LOG_RETENTION_CHANGES",
    integer({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: "changes" }),
    defaultLimits.logRetentionChanges,
  ),
};

function agentTypeList(text: string): readonly string[] {
  const names = list()(text);
  const wrong = names.find((name) => !/^[a-z][a-z0-9_]{0,62}$/.test(name));
  if (wrong !== undefined) throw new Error(`must be names of lower case letters, digits and _, which ${wrong} is not`);
  return names;
}
