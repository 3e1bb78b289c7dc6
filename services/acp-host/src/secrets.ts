import { maskSessionTokens } from "@helix-zed/sync-protocol";
import type { Environment } from "./passed-environment.ts";

const secretName = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/i;
const shortestSecret = 8;

/** Takes the values of secret variables and the tokens of agents out of a text, before it is logged or sent. */
export function redactor(environment: Environment): (text: string) => string {
  const secrets = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && value.length >= shortestSecret && secretName.test(name) ? [value] : [],
  );
  return (text) => secrets.reduce((clean, secret) => clean.replaceAll(secret, "[redacted]"), maskSessionTokens(text));
}
