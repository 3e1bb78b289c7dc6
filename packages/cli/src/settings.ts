import { readFileSync } from "node:fs";
import { CliError, exitCodes } from "./exit-codes.ts";

/** What the environment and the options say together. */
export interface SettingsSource {
  readonly url?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Where the services are and who calls them. */
export interface Settings {
  readonly url: string;
  readonly token: string;
}

const DEFAULT_URL = "http://127.0.0.1:8080";

/**
 * Options go before the environment. A token comes from a file or the environment, never from an argument, which every
 * process of the machine can read.
 */
export function readSettings(options: SettingsSource, environment: NodeJS.ProcessEnv): Settings {
  const url = options.url ?? environment["HELIX_ZED_URL"] ?? DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CliError(`"${url}" is not an http or https address.`, exitCodes.usage);
  }
  return { url, token: readToken(options, environment) };
}

function readToken({ tokenFile }: SettingsSource, environment: NodeJS.ProcessEnv): string {
  const file = tokenFile ?? environment["HELIX_ZED_TOKEN_FILE"];
  const given = environment["HELIX_ZED_TOKEN"];
  if (tokenFile === undefined && given !== undefined) return given.trim();
  if (file === undefined) {
    const how = "Set HELIX_ZED_TOKEN_FILE (`npm start` prints the file) or HELIX_ZED_TOKEN, or give --token-file.";
    throw new CliError(`There is no token. ${how}`, exitCodes.denied);
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CliError(`The token file ${file} cannot be read (${why}).`, exitCodes.denied);
  }
}
