import { type Setting, withDefault } from "./environment.ts";
import { type LogLevel, logLevels } from "./log.ts";
import { choice, port, text } from "./parsers.ts";

/** What every service can be told: where to listen, and how much to log. */
export interface ServiceSettings {
  readonly host: Setting<string>;
  readonly port: Setting<number>;
  readonly logLevel: Setting<LogLevel>;
}

/** The settings of every service; only the default port differs. */
export function serviceSettings(defaultPort: number): ServiceSettings {
  return {
    host: withDefault("HELIX_ZED_HOST", text(), "127.0.0.1"),
    port: withDefault("HELIX_ZED_PORT", port(), defaultPort),
    logLevel: withDefault<LogLevel>("HELIX_ZED_LOG_LEVEL", choice(...logLevels), "info"),
  };
}
