import { optional, type Parser, required, serviceSettings, url } from "@helix-zed/server";

/** Where the gateway listens, whom it stands before, and which other sites' pages may call it. */
export const gatewaySettings = {
  ...serviceSettings(8080),
  taskUrl: required("HELIX_ZED_TASK_URL", url("http", "https")),
  bridgeUrl: required("HELIX_ZED_BRIDGE_URL", url("http", "https")),
  corsOrigins: optional("HELIX_ZED_CORS_ORIGINS", origins()),
};

/** Origins separated by commas, as browsers send them: `https://app.example.com`. */
function origins(): Parser<readonly string[]> {
  return (value) => {
    const listed = value.split(",").map((each) => each.trim());
    const wrong = listed.find((each) => !URL.canParse(each) || new URL(each).origin !== each);
    if (wrong === undefined) return listed;
    throw new Error(`must list origins like https://app.example.com, without a path; ${JSON.stringify(wrong)} is none`);
  };
}
