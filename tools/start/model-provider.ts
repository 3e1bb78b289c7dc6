import { startDemoModel } from "@helix-zed/demo-model";
import type { Environment } from "@helix-zed/server/environment";

/** Where the agents' answers come from. */
export interface ModelProvider {
  /** For people: one line. */
  readonly description: string;
  readonly isDemo: boolean;
  /** What an agent needs to reach it. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const CREDENTIALS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GEMINI_API_KEY", "GOOGLE_API_KEY"];
const PROVIDER_VARIABLE = /^(OPENAI|ANTHROPIC|GEMINI|GOOGLE)_/;

/** The provider whose credentials are in the environment; without any, a demo model that is started here. */
export async function provideModel(environment: Environment): Promise<ModelProvider> {
  const credentials = CREDENTIALS.filter((name) => (environment[name] ?? "") !== "");
  return credentials.length === 0 ? demoProvider() : realProvider(environment, credentials);
}

function realProvider(environment: Environment, credentials: readonly string[]): ModelProvider {
  const variables = Object.entries(environment).filter(([name]) => PROVIDER_VARIABLE.test(name));
  return {
    description: `your own provider, by ${credentials.join(", ")}`,
    isDemo: false,
    environment: Object.fromEntries(variables.map(([name, value]) => [name, value ?? ""])),
    close: () => Promise.resolve(),
  };
}

async function demoProvider(): Promise<ModelProvider> {
  const model = await startDemoModel({ port: 0 });
  return {
    description: "a demo model: a script, not a language model. Set OPENAI_API_KEY (or another) for a real one.",
    isDemo: true,
    environment: demoEnvironment(model.url),
    close: () => model.close(),
  };
}

/** Points agents of every make at a demo model. */
export function demoEnvironment(url: string): Readonly<Record<string, string>> {
  return {
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: "demo",
    OPENAI_MODEL: "demo-model",
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: "demo",
    GOOGLE_GEMINI_BASE_URL: url,
    GEMINI_API_KEY: "demo",
  };
}
