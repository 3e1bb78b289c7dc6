import path from "node:path";
import { absolutePath, resolveProjectPath } from "../workspace/resolve-project-path.ts";
import type { App } from "./app.ts";

/** Where somebody wants a session to work. */
export interface WantedPlace {
  readonly taskId: string;
  /** Empty: nobody said. */
  readonly projectPath: string;
}

/**
 * The folder that a session is to work in. Where somebody else starts the editor the folder is as that editor sees it: it
 * need not exist here, and nothing here is touched. A session that names none works where the task's only such editor
 * does. All others work below a root of this host. Refuses as {@link resolveProjectPath} does.
 */
export async function resolvePlace(app: App, { taskId, projectPath }: WantedPlace): Promise<string> {
  const elsewhere = await app.database.transact(({ instances }) => instances.externalFolders(taskId));
  const [only] = elsewhere;
  if (projectPath === "" && only !== undefined && elsewhere.length === 1) return only;
  if (elsewhere.some((folder) => folder === path.resolve("/", projectPath))) return absolutePath(projectPath);
  return app.launchTarget === "external" ? absolutePath(projectPath) : resolveProjectPath(projectPath, app.roots);
}
