import { readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { syncPath } from "@helix-zed/sync-protocol";
import { z } from "zod";
import { agentsFile, type AgentDefinition } from "./agent-definition.ts";
import type { Environment } from "./passed-environment.ts";

// The configuration: environment variables, read once. Those of Zed have Zed's
// names and Zed's meaning (booleans are exactly `true` or `false`); those that
// Zed does not know begin with ACP_HOST_, and an unknown one of these is an error.

export interface Config {
  readonly sessionId: string;
  /** The address of the sync endpoint, with the session id. */
  readonly url: string;
  readonly token: string;
  readonly skipTlsVerify: boolean;
  readonly workDir: string;
  readonly dataDir: string;
  /** Agents of the agents file; they replace built-in ones of the same name. */
  readonly agents: readonly AgentDefinition[];
  readonly defaultAgent: string;
  readonly logLevel: LogLevel;
  readonly orphanTimeoutMs: number;
  readonly readyAfterMs: number;
  readonly cancelLimitMs: number;
  readonly permissionLimitMs: number;
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
type LogLevel = (typeof logLevels)[number];

const milliseconds = (fallback: number): z.ZodType<number> =>
  z.string().regex(/^\d+$/, "is not a number of milliseconds").transform(Number).prefault(String(fallback));

/** As Rust parses a bool: anything but these two is no value at all, and counts as false. */
const rustBool = z
  .string()
  .optional()
  .transform((value) => value === "true");

const folder = z.string({ error: "is not set" }).refine(isAbsolute, "is not an absolute path");

const agents = z
  .string()
  .optional()
  .transform((file, context): readonly AgentDefinition[] => {
    if (file === undefined || file === "") return [];
    try {
      return agentsFile.parse(JSON.parse(readFileSync(file, "utf8"))).agents;
    } catch (error) {
      const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      context.addIssue({ code: "custom", message: `names ${file}, which cannot be used: ${problem}` });
      return z.NEVER;
    }
  });

const own = {
  ACP_HOST_DATA_DIR: folder,
  ACP_HOST_AGENTS: agents,
  ACP_HOST_DEFAULT_AGENT: z.string().min(1).default("qwen"),
  ACP_HOST_LOG_LEVEL: z.enum(logLevels).default("info"),
  ACP_HOST_ORPHAN_TIMEOUT_MS: milliseconds(600_000),
  ACP_HOST_READY_AFTER_MS: milliseconds(5_000),
  ACP_HOST_CANCEL_TIMEOUT_MS: milliseconds(10_000),
  ACP_HOST_PERMISSION_TIMEOUT_MS: milliseconds(1_800_000),
};

const environment = z.object({
  ...own,
  HELIX_SESSION_ID: z.string({ error: "is not set" }).min(1, "is empty"),
  ZED_HELIX_URL: z.string().min(1).default("localhost:8080"),
  ZED_HELIX_TOKEN: z.string().default(""),
  ZED_HELIX_TLS: rustBool,
  ZED_HELIX_SKIP_TLS_VERIFY: rustBool,
  ZED_WORK_DIR: folder.refine(isDirectory, "is not a folder"),
  ZED_EXTERNAL_SYNC_ENABLED: z.literal("true", { error: "is not `true`, so there is nothing to do" }),
  ZED_WEBSOCKET_SYNC_ENABLED: z.literal("true", { error: "is not `true`, so there is nothing to do" }).optional(),
});

/** Reads the environment, or returns every problem with it at once. */
export function readConfig(
  variables: Environment,
): { readonly config: Config } | { readonly problems: readonly string[] } {
  const unknown = Object.keys(variables).filter((name) => name.startsWith("ACP_HOST_") && !(name in own));
  const parsed = environment.safeParse(variables);
  const problems = [
    ...unknown.map((name) => `${name} is not a setting of this program`),
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])} ${issue.message}`),
  ];
  return parsed.success && problems.length === 0 ? { config: toConfig(parsed.data) } : { problems };
}

function toConfig(read: z.infer<typeof environment>): Config {
  const scheme = read.ZED_HELIX_TLS ? "wss" : "ws";
  const query = `session_id=${encodeURIComponent(read.HELIX_SESSION_ID)}`;
  return {
    sessionId: read.HELIX_SESSION_ID,
    url: `${scheme}://${read.ZED_HELIX_URL}${syncPath}?${query}`,
    token: read.ZED_HELIX_TOKEN,
    skipTlsVerify: read.ZED_HELIX_SKIP_TLS_VERIFY,
    workDir: read.ZED_WORK_DIR,
    dataDir: read.ACP_HOST_DATA_DIR,
    agents: read.ACP_HOST_AGENTS,
    defaultAgent: read.ACP_HOST_DEFAULT_AGENT,
    logLevel: read.ACP_HOST_LOG_LEVEL,
    orphanTimeoutMs: read.ACP_HOST_ORPHAN_TIMEOUT_MS,
    readyAfterMs: read.ACP_HOST_READY_AFTER_MS,
    cancelLimitMs: read.ACP_HOST_CANCEL_TIMEOUT_MS,
    permissionLimitMs: read.ACP_HOST_PERMISSION_TIMEOUT_MS,
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
