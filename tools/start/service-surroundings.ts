import type { Environment } from "@helix-zed/server/environment";
import type { ModelProvider } from "./model-provider.ts";
import type { ServiceLayout } from "./service-commands.ts";
import type { StartSettings } from "./start-settings.ts";

/** What programs expect to find on a machine; nothing of it is a setting of ours. */
const SURROUNDINGS = [
  ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE"],
  ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE", "DBUS_SESSION_BUS_ADDRESS"],
  ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "SSH_AUTH_SOCK"],
].flat();

/** The part of our own environment that every service gets. */
export function surroundings(environment: Environment): Record<string, string> {
  return definedOnly(Object.fromEntries(SURROUNDINGS.map((name) => [name, environment[name]])));
}

/** The settings that `npm start` hands on as they are, each to the services that know it. */
export function passedSettings(settings: StartSettings, model: ModelProvider): ServiceLayout["more"] {
  const everywhere = { HELIX_ZED_LOG_LEVEL: settings.logLevel };
  const behindTheGateway = {
    ...everywhere,
    HELIX_ZED_JWT_ISSUER: settings.jwtIssuer,
    HELIX_ZED_JWT_AUDIENCE: settings.jwtAudience,
    HELIX_ZED_JWKS_URL: settings.jwksUrl,
    HELIX_ZED_JWT_ORGANIZATION_CLAIM: settings.jwtOrganizationClaim,
    HELIX_ZED_JWT_CLOCK_SKEW_MS: settings.jwtClockSkewMs,
  };
  return {
    gateway: definedOnly(everywhere),
    "task-service": definedOnly({
      ...behindTheGateway,
      HELIX_ZED_AGENT_TYPES: settings.agentTypes,
      HELIX_ZED_LEASE_MS: settings.leaseMs,
      HELIX_ZED_WATCHES_PER_ACTOR_MAX: settings.watchesPerActorMax,
      HELIX_ZED_REQUEST_RETENTION_MS: settings.requestRetentionMs,
    }),
    "zed-bridge": definedOnly({
      ...behindTheGateway,
      ...model.environment,
      HELIX_ZED_AGENTS_FILE: settings.agentsFile,
      HELIX_ZED_RUNNER_NAME: settings.runnerName,
      ZED_LAUNCHER: settings.launcher,
      ZED_BINARY: settings.zedBinary,
      ZED_DEFAULT_MODEL: settings.defaultModel,
      HELIX_ZED_PERMISSION_POLICY: settings.permissionPolicy,
      HELIX_ZED_PERMISSION_TIMEOUT_MS: settings.permissionTimeoutMs,
      HELIX_ZED_IDLE_STOP_MS: settings.idleStopMs,
      HELIX_ZED_INSTANCE_RETENTION_MS: settings.instanceRetentionMs,
    }),
  };
}

function definedOnly(variables: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  const entries = Object.entries(variables).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}
