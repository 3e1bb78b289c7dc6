import { writeFileSync } from "node:fs";

/**
 * Makes a program of JavaScript at `file`. Node is not the interpreter of the file itself: its path may have a space, which
 * a first line cannot hold. What the shell in between adds to the environment is taken out again.
 */
export function makeProgram(file: string, source: string): void {
  writeFileSync(`${file}.mjs`, `${source}\n`);
  const run = `exec env -u PWD -u OLDPWD -u SHLVL -u _ ${quote(process.execPath)} ${quote(`${file}.mjs`)} "$@"`;
  writeFileSync(file, `#!/bin/sh\n${run}\n`, { mode: 0o755 });
}

/** One word for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
