import type { GitSurroundings } from "./git.ts";

/** What a setup command may need of the bridge's own environment: nothing that is a secret of the bridge. */
const PASSED = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TZ"];

/** What git runs with. */
export function gitSurroundings(environment: NodeJS.ProcessEnv): GitSurroundings {
  return { searchPath: environment["PATH"] ?? "", home: environment["HOME"] ?? "/" };
}

/** What setup commands run with. */
export function setupEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    PASSED.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}
