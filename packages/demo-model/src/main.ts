import { parseArgs } from "node:util";
import { startDemoModel } from "./start-demo-model.ts";

// node src/main.ts [--port N] [--host H]
// Prints one line of JSON when it serves, and stops on SIGTERM, SIGINT, or when the process that forked it is gone.

const { values } = parseArgs({
  options: { port: { type: "string", default: "0" }, host: { type: "string", default: "127.0.0.1" } },
});
const model = await startDemoModel({ port: Number(values.port), host: values.host });
process.stdout.write(`${JSON.stringify({ ready: "demo-model", port: model.port })}\n`);

for (const event of ["SIGTERM", "SIGINT", "disconnect"] as const) {
  process.once(event, () => void model.close().then(() => process.exit(0)));
}
