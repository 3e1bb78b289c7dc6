import type { LaunchFacts } from "./launch-recipe.ts";

/**
 * What every editor is told by its environment: who it is, where the bridge is, where to work. The token is here and
 * nowhere else. Booleans are words, because Zed takes `1` for false.
 */
export function editorEnvironment(
  { folder, instanceId, token, bridgeAddress, workingDirectory }: LaunchFacts,
  passed: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...passed,
    HOME: folder.home,
    TMPDIR: folder.temporary,
    HELIX_SESSION_ID: instanceId,
    ZED_EXTERNAL_SYNC_ENABLED: "true",
    ZED_WEBSOCKET_SYNC_ENABLED: "true",
    ZED_HELIX_URL: bridgeAddress,
    ZED_HELIX_TOKEN: token,
    ZED_HELIX_TLS: "false",
    ZED_WORK_DIR: workingDirectory,
  };
}
