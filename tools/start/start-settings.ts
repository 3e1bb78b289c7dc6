import { optional, readEnvironment, withDefault, type Environment, type Read } from "@helix-zed/server/environment";
import { pathList, port, text, url } from "@helix-zed/server/parsers";
import path from "node:path";

const databaseUrl = url("postgres", "postgresql");

const settings = {
  host: withDefault("HELIX_ZED_HOST", text(), "127.0.0.1"),
  gatewayPort: withDefault("HELIX_ZED_GATEWAY_PORT", port(), 8080),
  taskPort: withDefault("HELIX_ZED_TASK_PORT", port(), 8081),
  bridgePort: withDefault("HELIX_ZED_BRIDGE_PORT", port(), 8082),
  dataFolder: withDefault("HELIX_ZED_DATA_DIR", text(), ".data"),
  databaseServer: optional("DATABASE_URL", databaseUrl),
  taskDatabase: optional("HELIX_ZED_TASK_DATABASE_URL", databaseUrl),
  bridgeDatabase: optional("HELIX_ZED_BRIDGE_DATABASE_URL", databaseUrl),
  workspaceRoots: withDefault("ZED_WORKSPACE_ROOTS", pathList(), []),
  // These are for the services, which check them.
  logLevel: optional("HELIX_ZED_LOG_LEVEL", text()),
  agentTypes: optional("HELIX_ZED_AGENT_TYPES", text()),
  leaseMs: optional("HELIX_ZED_LEASE_MS", text()),
  watchesPerActorMax: optional("HELIX_ZED_WATCHES_PER_ACTOR_MAX", text()),
  requestRetentionMs: optional("HELIX_ZED_REQUEST_RETENTION_MS", text()),
  jwtIssuer: optional("HELIX_ZED_JWT_ISSUER", text()),
  jwtAudience: optional("HELIX_ZED_JWT_AUDIENCE", text()),
  jwksUrl: optional("HELIX_ZED_JWKS_URL", text()),
  jwtOrganizationClaim: optional("HELIX_ZED_JWT_ORGANIZATION_CLAIM", text()),
  jwtClockSkewMs: optional("HELIX_ZED_JWT_CLOCK_SKEW_MS", text()),
  agentsFile: optional("HELIX_ZED_AGENTS_FILE", text()),
  runnerName: optional("HELIX_ZED_RUNNER_NAME", text()),
  launcher: optional("ZED_LAUNCHER", text()),
  zedBinary: optional("ZED_BINARY", text()),
  defaultModel: optional("ZED_DEFAULT_MODEL", text()),
  permissionPolicy: optional("HELIX_ZED_PERMISSION_POLICY", text()),
  permissionTimeoutMs: optional("HELIX_ZED_PERMISSION_TIMEOUT_MS", text()),
  idleStopMs: optional("HELIX_ZED_IDLE_STOP_MS", text()),
  instanceRetentionMs: optional("HELIX_ZED_INSTANCE_RETENTION_MS", text()),
};

/** What `npm start` can be told; paths are absolute. */
export type StartSettings = Read<typeof settings>;

/**
 * Reads the environment, relative paths against `root`; folders given as arguments are workspace roots too. Throws an
 * error that lists every problem.
 */
export function readStartSettings(environment: Environment, folders: readonly string[], root: string): StartSettings {
  const read = readEnvironment(environment, settings);
  const dataFolder = path.resolve(root, read.dataFolder);
  const given = folders.map((folder) => path.resolve(environment["INIT_CWD"] ?? root, folder));
  return {
    ...read,
    dataFolder,
    workspaceRoots: [path.join(dataFolder, "workspaces"), ...read.workspaceRoots, ...given],
  };
}
