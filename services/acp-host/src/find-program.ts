import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The absolute path of a command: a name is looked up on the path, an absolute path must be a program. */
export function findProgram(command: string, path: string): string | undefined {
  if (command.includes("/")) return isAbsolute(command) && isExecutable(command) ? command : undefined;
  const folders = path.split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
