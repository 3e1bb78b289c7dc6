// The bridge's side of the link as a process of its own, to be killed: node bridge-program.ts DATABASE_URL PORT RUNNER
import { watchDeadlines } from "../../../services/zed-bridge/src/runner/deadline-timer.ts";
import { forgetLinks } from "../../../services/zed-bridge/src/application/close-link.ts";
import { openApp } from "../../../services/zed-bridge/src/testing/open-app.ts";
import { serveLinks, silentLog } from "../../../services/zed-bridge/src/testing/serve-links.ts";

const [databaseUrl = "", port = "0", runner = ""] = process.argv.slice(2);
const app = await openApp(databaseUrl, { launchTarget: "zed-headless" });
await forgetLinks(app, { runner });
await serveLinks(app, { port: Number(port) });
process.stdout.write("ready\n");
await watchDeadlines({ app, runner, log: silentLog }, new AbortController().signal);
