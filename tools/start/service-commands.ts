import { chmodSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { AccessTokens } from "./access-tokens.ts";
import type { ServiceCommand } from "./service-process.ts";

/** The services of the system. */
export const SERVICE_NAMES = ["task-service", "zed-bridge", "gateway"] as const;

/** One of the services. */
export type ServiceName = (typeof SERVICE_NAMES)[number];

const COMPILE_CACHE = path.resolve(import.meta.dirname, "..", "..", "node_modules", ".cache", "compile");

/** Where the services of one system listen and keep what is theirs. */
export interface ServiceLayout {
  readonly host: string;
  readonly ports: Readonly<Record<ServiceName, number>>;
  /** Holds the folders logs and zed-bridge. */
  readonly dataFolder: string;
  readonly taskDatabaseUrl: string;
  readonly bridgeDatabaseUrl: string;
  readonly workspaceRoots: readonly string[];
  readonly tokens: AccessTokens;
  /** What every service sees of its surroundings: PATH and the like. */
  readonly surroundings: Readonly<Record<string, string>>;
  /** Settings that a service gets beside these. */
  readonly more: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
}

/** How to start a service: exactly these variables, and nothing of our own environment. */
export function serviceCommand(name: ServiceName, layout: ServiceLayout): ServiceCommand {
  const logs = privateFolder(path.join(layout.dataFolder, "logs"));
  return {
    name,
    environment: {
      ...layout.surroundings,
      // Halves the time that a service needs to load its code.
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      HELIX_ZED_HOST: layout.host,
      HELIX_ZED_PORT: String(layout.ports[name]),
      ...OWN_SETTINGS[name](layout),
      ...layout.more[name],
    },
    logFile: path.join(logs, `${name}.log`),
  };
}

/** The address at which the others reach a service. */
export function serviceUrl(name: ServiceName, { host, ports }: Pick<ServiceLayout, "host" | "ports">): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${ports[name]}`;
}

/** What each service is told about this system. */
const OWN_SETTINGS: Readonly<Record<ServiceName, (layout: ServiceLayout) => Record<string, string>>> = {
  "task-service": ({ taskDatabaseUrl, tokens }) => ({
    DATABASE_URL: taskDatabaseUrl,
    HELIX_ZED_TOKENS_FILE: tokens.file,
  }),
  "zed-bridge": (layout) => ({
    DATABASE_URL: layout.bridgeDatabaseUrl,
    HELIX_ZED_TOKENS_FILE: layout.tokens.file,
    HELIX_ZED_TASK_URL: serviceUrl("task-service", layout),
    HELIX_ZED_SERVICE_TOKEN_FILE: layout.tokens.tokenFile("zed-bridge"),
    HELIX_ZED_DATA_DIR: privateFolder(path.join(layout.dataFolder, "zed-bridge")),
    ZED_WORKSPACE_ROOTS: layout.workspaceRoots.join(":"),
  }),
  gateway: (layout) => ({
    HELIX_ZED_TASK_URL: serviceUrl("task-service", layout),
    HELIX_ZED_BRIDGE_URL: serviceUrl("zed-bridge", layout),
  }),
};

function privateFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  return folder;
}
