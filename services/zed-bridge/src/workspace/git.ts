import { execFile } from "node:child_process";

/** What git runs with. */
export interface GitSurroundings {
  /** Where git is found. */
  readonly searchPath: string;
  /** Whose configuration of git holds. */
  readonly home: string;
}

/** git did not do what it was asked. */
export class GitError extends Error {
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    super(`git ${args.join(" ")} failed: ${stderr.trim() || `exit code ${exitCode}`}`);
    this.name = "GitError";
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** Runs git in a folder and gives what it printed. */
export type Git = (folder: string, args: readonly string[]) => Promise<string>;

const TIMEOUT_MS = 120_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

// Hooks and monitors of the repository are programs of whoever may write to it: they are not run in this process's name.
const OURS = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];

/** Makes the function that runs git: never through a shell, with an environment of its own, and never asking anybody. */
export function gitIn({ searchPath, home }: GitSurroundings): Git {
  const env = {
    PATH: searchPath,
    HOME: home,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
  };
  const options = { env, timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX, encoding: "utf8" } as const;
  return (folder, args) =>
    new Promise((resolve, reject) => {
      execFile("git", [...OURS, ...args], { ...options, cwd: folder }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new GitError(args, typeof error.code === "number" ? error.code : null, stderr || error.message));
      });
    });
}
