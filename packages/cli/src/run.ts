// The command line, from arguments to exit code
//
// The commands are declared with their arguments, options and help in `commands/`; each opens a session when it runs. What
// the person gets is on standard output, everything else on standard error. Failures are one line there; the exit code
// says what kind (see exit-codes.ts).

import { createClient } from "@helix-zed/client/node";
import { Command, CommanderError } from "commander";
import { addCompletionCommand } from "./commands/completion-command.ts";
import { addInstanceCommands } from "./commands/instance-commands.ts";
import { addSessionCommands } from "./commands/session-commands.ts";
import { addTaskCommands } from "./commands/task-commands.ts";
import { addThreadCommands } from "./commands/thread-commands.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { wholeNumber } from "./options.ts";
import { Output, type Sink } from "./output.ts";
import type { Session } from "./session.ts";
import { readSettings } from "./settings.ts";
import { terminalText } from "./terminal-text.ts";
import { wordsOf } from "./words-of.ts";

/** What the program has around it. */
export interface Surroundings {
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly readInput: () => Promise<string>;
  /** Aborts at Ctrl-C. */
  readonly interrupted: AbortSignal;
}

interface GlobalOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
  readonly timeout?: number;
}

const TIMEOUT_MAX_S = 7 * 24 * 60 * 60;

/** Runs one command line, and gives the code to exit with. */
export async function run(surroundings: Surroundings): Promise<number> {
  const ends = new Ends(surroundings.interrupted);
  try {
    await programOf(surroundings, ends).parseAsync([...surroundings.arguments], { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (surroundings.interrupted.aborted) return exitCodes.interrupted;
    if (ends.isTimeout) {
      surroundings.stderr.write("helix-zed: not within the time that was given\n");
      return exitCodes.timeout;
    }
    surroundings.stderr.write(`helix-zed: ${terminalText(wordsOf(error))}\n`);
    return exitCodeOf(error);
  }
}

function programOf(surroundings: Surroundings, ends: Ends): Command {
  const { stdout, stderr, readInput } = surroundings;
  const program = new Command("helix-zed")
    .description("Tasks for coding agents, from the command line")
    .option("--url <address>", "the gateway's address; HELIX_ZED_URL, else http://127.0.0.1:8080")
    .option("--token-file <file>", "holds the bearer token; HELIX_ZED_TOKEN_FILE, else HELIX_ZED_TOKEN")
    .option("--json", "print JSON, a line for each resource, also on a terminal")
    .option("--timeout <seconds>", "give up after this time", wholeNumber(1, TIMEOUT_MAX_S))
    .showHelpAfterError("(helix-zed --help tells more)")
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .exitOverride();
  const open = (): Session => {
    const options = program.opts<GlobalOptions>();
    const { url, token } = readSettings(options, surroundings.environment);
    return {
      client: createClient({ baseUrl: url, token }),
      output: new Output(stdout, { json: options.json ?? false }),
      note: (text) => stderr.write(`${terminalText(text)}\n`),
      signal: ends.signal(options.timeout),
    };
  };
  addTaskCommands(program, open);
  addSessionCommands(program, open);
  addThreadCommands(program, open, readInput);
  addInstanceCommands(program, open);
  addCompletionCommand(program, (text) => stdout.write(text));
  return program;
}

/** What ends a command before it is done. */
class Ends {
  readonly #interrupted: AbortSignal;
  #timeout: AbortSignal | undefined;

  constructor(interrupted: AbortSignal) {
    this.#interrupted = interrupted;
  }

  get isTimeout(): boolean {
    return this.#timeout?.aborted ?? false;
  }

  signal(timeoutS: number | undefined): AbortSignal {
    if (timeoutS === undefined) return this.#interrupted;
    this.#timeout = AbortSignal.timeout(timeoutS * 1_000);
    return AbortSignal.any([this.#interrupted, this.#timeout]);
  }
}
