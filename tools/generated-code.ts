// Code generation in two halves: make it in a scratch folder, then compare with or copy to what is committed.
//
// So a failed run leaves the committed code alone, a repeated run touches no file, and the check that the code is up
// to date is the same run without the copying.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { emitValidateProto } from "./emit-validate-proto.ts";
import { runTool } from "./run-tool.ts";

/** One run of buf. All paths are below the root. */
interface Generation {
  /** Where it runs; the template is relative to it. */
  readonly folder: string;
  readonly template: string;
  /** The folder that holds what it writes and nothing else; the template says the same. */
  readonly output: string;
}

const TRANSCODING = path.join("packages", "transcoding");

const GENERATIONS: readonly Generation[] = [
  { folder: ".", template: "buf.gen.yaml", output: path.join("packages", "gen", "src") },
  { folder: TRANSCODING, template: "buf.gen.yaml", output: path.join(TRANSCODING, "src", "gen") },
  { folder: TRANSCODING, template: "buf.gen.test.yaml", output: path.join(TRANSCODING, "test", "gen") },
];

/** One way in which the committed code differs from what is generated; the path is below the root. */
export interface StaleFile {
  readonly path: string;
  readonly problem: "missing" | "outdated" | "superfluous";
}

/** Generates all code below a scratch folder instead of the root and hands that to `use`; it is gone afterwards. */
export async function withGeneratedCode<T>(root: string, use: (fresh: string) => T): Promise<T> {
  const scratch = mkdtempSync(path.join(tmpdir(), "helix-zed-generate-"));
  try {
    emitValidateProto(root);
    for (const generation of GENERATIONS) await generate(root, scratch, generation);
    // buf/validate comes from the validator's own package instead (map_imports in buf.gen.yaml).
    rmSync(path.join(scratch, "packages", "gen", "src", "buf"), { recursive: true, force: true });
    return use(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function generate(root: string, scratch: string, { folder, template }: Generation): Promise<void> {
  const args = ["generate", "--template", template, "--output", path.join(scratch, folder)];
  const { exitCode, output } = await runTool(root, "buf", args, { folder });
  if (exitCode !== 0) throw new Error(output.trim());
}

/** Every generated file that is not below the root as it is below `fresh`. */
export function staleFiles(fresh: string, root: string): StaleFile[] {
  return GENERATIONS.flatMap(({ output }) =>
    staleFilesOf(path.join(fresh, output), path.join(root, output)).map((file) => ({
      ...file,
      path: path.join(output, file.path),
    })),
  );
}

function staleFilesOf(fresh: string, committed: string): StaleFile[] {
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

/** Makes what is below the root the same as below `fresh` by writing only the files that differ. */
export function replaceStaleFiles(fresh: string, root: string): StaleFile[] {
  const stale = staleFiles(fresh, root);
  for (const file of stale) {
    const target = path.join(root, file.path);
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
