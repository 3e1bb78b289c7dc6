// A process that does what the bridge's supervisor does, to be killed by a test:
//   node supervise.ts DATABASE_URL DATA_FOLDER STAND_IN RUNNER
// Says "supervising" when it has begun.
import { createLog } from "@helix-zed/server";
import { openApp } from "../../testing/open-app.ts";
import { Supervisor } from "../supervisor.ts";
import { standInRecipe } from "./stand-in-recipe.ts";
import { isStandIn } from "./stand-in.ts";

const [databaseUrl = "", dataDirectory = "", standIn = "", runner = ""] = process.argv.slice(2);
if (!isStandIn(standIn)) throw new Error(`there is no stand-in ${standIn}`);
const supervisor = new Supervisor({
  app: await openApp(databaseUrl),
  runner,
  recipes: [standInRecipe(standIn)],
  dataDirectory,
  bridgeAddress: "127.0.0.1:1",
  linkSettled: async () => {},
  log: createLog({ name: "supervise", level: "warn" }),
});
supervisor.start();
process.stdout.write("supervising\n");
