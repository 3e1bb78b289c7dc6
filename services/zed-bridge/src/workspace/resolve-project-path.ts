import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { Refusal } from "@helix-zed/domain";
import type { Reason } from "../domain/reason.ts";

/**
 * The real path of a project folder, all links resolved. Refuses an empty or relative path, one that is no folder
 * (PROJECT_PATH_MISSING), and one that is not below a root (PROJECT_PATH_OUTSIDE_ROOTS) or a root itself.
 * Looks outside the roots only to resolve links, and says nothing about what is there.
 */
export async function resolveProjectPath(given: string, roots: readonly string[]): Promise<string> {
  const lexical = absolutePath(given);
  const real = await realpath(lexical).catch(() => null);
  const below = isBelow(real ?? lexical, roots);
  if (!below)
    throw refusal("PROJECT_PATH_OUTSIDE_ROOTS", given, "is not below one of the workspace roots of this host");
  if (real === null || !(await isFolder(real))) {
    throw refusal("PROJECT_PATH_MISSING", given, "is no folder on this host");
  }
  return real;
}

/** The path without detours. Refuses one that is empty (PROJECT_PATH_REQUIRED) or not absolute. */
export function absolutePath(given: string): string {
  if (given === "")
    throw refusal("PROJECT_PATH_REQUIRED", given, "is needed: neither the session nor its task names one");
  if (!path.isAbsolute(given) || given.includes("\0")) {
    throw refusal("PROJECT_PATH_NOT_ABSOLUTE", given, "must be an absolute path");
  }
  return path.resolve(given);
}

function isBelow(candidate: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const relative = path.relative(root, candidate);
    return relative === "" || !(relative === ".." || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative));
  });
}

async function isFolder(real: string): Promise<boolean> {
  const found = await stat(real).catch(() => null);
  return found?.isDirectory() ?? false;
}

type PathReason = Extract<Reason, `PROJECT_PATH_${string}`>;

function refusal(reason: PathReason, given: string, description: string): Refusal<Reason> {
  const violations = [{ field: "project_path", description }];
  return new Refusal<Reason>(reason, `project_path ${description}.`, { project_path: given }, { violations });
}
