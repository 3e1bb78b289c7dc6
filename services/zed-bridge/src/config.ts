import { realpathSync, statSync } from "node:fs";
import {
  authenticationSettings,
  choice,
  integer,
  optional,
  type Parser,
  path,
  pathList,
  type Read,
  required,
  secretFile,
  type Setting,
  serviceSettings,
  text,
  url,
  withDefault,
} from "@helix-zed/server";
import { makeFolder } from "@helix-zed/server/make-folder";
import { permissionPolicies } from "@helix-zed/sync-protocol";
import { builtInAgents, type ConfiguredAgents, readAgentsFile } from "./agents/agents-file.ts";
import { defaultLimits } from "./domain/limits.ts";
import type { LaunchTarget } from "./domain/zed-instance.ts";
import type { ModelName } from "./launcher/zed-settings.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Everything that the bridge can be told, by environment variables. */
export const settings = {
  ...serviceSettings(8082),
  ...authenticationSettings(),
  databaseUrl: required("DATABASE_URL", url("postgres", "postgresql")),
  /** Where task-service is, and who we are to it. */
  taskUrl: required("HELIX_ZED_TASK_URL", url("http", "https")),
  serviceToken: required("HELIX_ZED_SERVICE_TOKEN_FILE", secretFile()),
  /** Where instances have their folders and the bridge its name. One bridge at a time. */
  dataDirectory: required("HELIX_ZED_DATA_DIR", dataDirectory()),
  /** `null`: one is made at the first start and kept in the data folder. */
  runnerName: optional("HELIX_ZED_RUNNER_NAME", runnerName()),
  agents: agentsSetting(),
  /** Folders that work may be done in, as real paths. */
  roots: withDefault("ZED_WORKSPACE_ROOTS", roots(), []),
  /** How editors are started; `null`: as {@link launchTargetOf} finds. */
  launcher: optional("ZED_LAUNCHER", choice("acp-host", "zed-headless", "zed", "external")),
  /** The editor itself, not the command line tool in front of it. */
  zedBinary: optional("ZED_BINARY", path()),
  /** What Zed's own agent uses. */
  defaultModel: optional("ZED_DEFAULT_MODEL", modelName()),
  /** How long a process without a window is kept although it has nothing to do; 0: for ever. */
  idleStopMs: withDefault(
    "HELIX_ZED_IDLE_STOP_MS",
    integer({ min: 0, max: 30 * DAY_MS, unit: "milliseconds" }),
    defaultLimits.idleStopMs ?? 0,
  ),
  /** How long the folders of an instance are kept after its last thread has ended. */
  instanceRetentionMs: withDefault(
    "HELIX_ZED_INSTANCE_RETENTION_MS",
    integer({ min: 0, max: 365 * DAY_MS, unit: "milliseconds" }),
    7 * DAY_MS,
  ),
  /** What becomes of a session's own copy of a project when the session has ended. */
  worktreePolicy: withDefault("HELIX_ZED_WORKTREES", choice("remove-clean", "keep"), "remove-clean"),
  /** Where processes on this machine find the bridge, as `host:port`; `null`: where it listens. */
  editorAddress: optional("HELIX_ZED_EDITOR_ADDRESS", hostAndPort()),
  /** What becomes of agents' requests for permission where a session does not say; `null`: as the agent is configured. */
  permissionPolicy: optional("HELIX_ZED_PERMISSION_POLICY", choice(...permissionPolicies)),
  /** How long a request for permission waits for an answer before it is rejected. */
  permissionTimeoutMs: withDefault(
    "HELIX_ZED_PERMISSION_TIMEOUT_MS",
    integer({ min: 1_000, max: 86_400_000, unit: "milliseconds" }),
    defaultLimits.permissionTimeoutMs,
  ),
  /** Where agents find our MCP server, if not at our own address; `null`: there. */
  mcpUrl: optional("HELIX_ZED_MCP_URL", url("http", "https")),
  /** How long a process goes on without a bridge before it ends by itself. */
  orphanTimeoutMs: withDefault(
    "HELIX_ZED_ORPHAN_TIMEOUT_MS",
    integer({ min: 1_000, max: 86_400_000, unit: "milliseconds" }),
    600_000,
  ),
} as const;

/**
 * How new instances are started: as was said, else by the Zed that is there, else by an acp-host. Throws where a Zed is to
 * be started and none is named.
 */
export function launchTargetOf({ launcher, zedBinary }: Pick<Read<typeof settings>, "launcher" | "zedBinary">) {
  const target: LaunchTarget = launcher ?? (zedBinary === null ? "acp-host" : "zed-headless");
  if (target.startsWith("zed") && zedBinary === null) {
    throw new Error(`ZED_BINARY must be set where ZED_LAUNCHER is ${target}`);
  }
  return target;
}

function modelName(): Parser<ModelName> {
  return (value) => {
    const [, provider, model] = /^([a-z0-9._-]+)\/(\S+)$/.exec(text()(value)) ?? [];
    if (provider !== undefined && model !== undefined) return { provider, model };
    throw new Error("must be a provider and a model, like anthropic/claude-sonnet-4-6");
  };
}

function agentsSetting(): Setting<ConfiguredAgents> {
  return {
    variable: "HELIX_ZED_AGENTS_FILE",
    parse: (file) => {
      try {
        return readAgentsFile(path()(file), process.execPath);
      } catch (error) {
        throw new Error(`names a file that cannot be used: ${messageOf(error)}`, { cause: error });
      }
    },
    absent: () => builtInAgents(process.execPath),
  };
}

function dataDirectory(): Parser<string> {
  return (value) => {
    const folder = path()(value);
    try {
      makeFolder(folder, 0o700);
      return realpathSync(folder);
    } catch (error) {
      throw new Error(`names a folder that cannot be used: ${messageOf(error)}`, { cause: error });
    }
  };
}

function roots(): Parser<readonly string[]> {
  return (value) =>
    pathList()(value).map((folder) => {
      const found = statSync(folder, { throwIfNoEntry: false });
      if (found?.isDirectory() === true) return realpathSync(folder);
      throw new Error(`names ${folder}, which is no folder`);
    });
}

function hostAndPort(): Parser<string> {
  return (value) => {
    const address = text()(value);
    if (/^(?:[\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}$/.test(address)) return address;
    throw new Error("must be host:port");
  };
}

function runnerName(): Parser<string> {
  return (value) => {
    const name = text()(value);
    if (/^[\x21-\x7e]{1,255}$/.test(name)) return name;
    throw new Error("must be 1 to 255 visible ASCII characters");
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
