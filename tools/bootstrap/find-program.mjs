import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";

/** The path of a program, looked up as a shell does; undefined when there is none. */
export function findProgram(name) {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
