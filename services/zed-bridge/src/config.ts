import { mkdirSync, realpathSync, statSync } from "node:fs";
import {
  authenticationSettings,
  choice,
  integer,
  optional,
  type Parser,
  path,
  pathList,
  required,
  secretFile,
  type Setting,
  serviceSettings,
  text,
  url,
  withDefault,
} from "@helix-zed/server";
import { builtInAgents, type ConfiguredAgents, readAgentsFile } from "./agents/agents-file.ts";

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
  launcher: withDefault("ZED_LAUNCHER", choice("acp-host"), "acp-host"),
  /** How long a process goes on without a bridge before it ends by itself. */
  orphanTimeoutMs: withDefault(
    "HELIX_ZED_ORPHAN_TIMEOUT_MS",
    integer({ min: 1_000, max: 86_400_000, unit: "milliseconds" }),
    600_000,
  ),
} as const;

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
      mkdirSync(folder, { recursive: true, mode: 0o700 });
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
