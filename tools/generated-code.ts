// Code generation in two halves: make it in a scratch folder, then compare with or copy to what is committed.
//
// So a failed run leaves the committed code alone, a repeated run touches no file, and the check that the code is up
// to date is the same run without the copying.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { emitValidateProto } from "./emit-validate-proto.ts";
import { runTool } from "./run-tool.ts";

/** Where the generated code stands, below the root; buf.gen.yaml says the same. */
export const GENERATED = path.join("packages", "gen", "src");

/** One way in which the committed code differs from what the contract generates. */
export interface StaleFile {
  readonly path: string;
  readonly problem: "missing" | "outdated" | "superfluous";
}

/** Generates into a scratch folder and hands the result to `use`; the folder is gone afterwards. */
export async function withGeneratedCode<T>(root: string, use: (folder: string) => T): Promise<T> {
  const scratch = mkdtempSync(path.join(tmpdir(), "helix-zed-generate-"));
  try {
    emitValidateProto(root);
    const { exitCode, output } = await runTool(root, "buf", ["generate", "--output", scratch]);
    if (exitCode !== 0) throw new Error(output.trim());
    const folder = path.join(scratch, GENERATED);
    // buf/validate comes from the validator's own package instead (map_imports in buf.gen.yaml).
    rmSync(path.join(folder, "buf"), { recursive: true, force: true });
    return use(folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Every file in which `committed` is not what was generated into `fresh`. */
export function staleFiles(fresh: string, committed: string): StaleFile[] {
  const wanted = filesBelow(fresh);
  const present = filesBelow(committed);
  return [
    ...[...wanted].filter(([file]) => !present.has(file)).map(([file]) => problem(file, "missing")),
    ...[...wanted]
      .filter(([file, text]) => present.has(file) && present.get(file) !== text)
      .map(([file]) => problem(file, "outdated")),
    ...[...present].filter(([file]) => !wanted.has(file)).map(([file]) => problem(file, "superfluous")),
  ];
}

/** Makes `committed` what was generated into `fresh` by writing only the files that differ. */
export function replaceStaleFiles(fresh: string, committed: string): StaleFile[] {
  const stale = staleFiles(fresh, committed);
  for (const file of stale) {
    const target = path.join(committed, file.path);
    if (file.problem === "superfluous") rmSync(target);
    else copyFile(path.join(fresh, file.path), target);
  }
  return stale;
}

function copyFile(source: string, target: string): void {
  mkdirSync(path.dirname(target), { recursive: true });
  cpSync(source, target);
}

function problem(file: string, kind: StaleFile["problem"]): StaleFile {
  return { path: file, problem: kind };
}

/** The text of every file below a folder, by its path relative to the folder. */
function filesBelow(folder: string): Map<string, string> {
  mkdirSync(folder, { recursive: true });
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [path.relative(folder, file), readFileSync(file, "utf8")]));
}
