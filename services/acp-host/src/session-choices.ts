import { z } from "zod";

// Modes and models
//
// Agents tell in their answer to `session/new` and `session/load` what can be chosen, each in its own place: modes in
// `modes` or in a config option, models in a config option or in the `models` of older ACP. What is chosen is checked
// against that before it is set, because some agents accept a name that they do not know and go on as before.

const option = z.looseObject({ value: z.string() });
const configOption = z.looseObject({
  id: z.string(),
  category: z.string().nullish().catch(undefined),
  options: z
    .array(
      z.union([
        option.transform(({ value }) => [value]),
        z.looseObject({ options: z.array(option) }).transform(({ options }) => options.map(({ value }) => value)),
      ]),
    )
    .catch([]),
});

const offered = z.looseObject({
  modes: z
    .looseObject({ availableModes: z.array(z.looseObject({ id: z.string() })) })
    .nullish()
    .catch(undefined),
  models: z
    .looseObject({ availableModels: z.array(z.looseObject({ modelId: z.string() })) })
    .nullish()
    .catch(undefined),
  configOptions: z.array(configOption.nullable().catch(null)).nullish().catch(undefined),
});

/** What is chosen. */
export type Choice = "mode" | "model";

/** How a choice is told to the agent. */
export type ChoiceRequest =
  | { readonly method: "session/set_mode"; readonly params: { readonly modeId: string } }
  | { readonly method: "session/set_model"; readonly params: { readonly modelId: string } }
  | {
      readonly method: "session/set_config_option";
      readonly params: { readonly configId: string; readonly value: string };
    };

/** The request that makes an agent use a mode or a model. Fails where the agent says that it has no such one. */
export function requestFor(choice: Choice, name: string, session: unknown): ChoiceRequest {
  const { known, config } = offeredBy(session, choice);
  if (known.length > 0 && !known.includes(name)) {
    throw new Error(`it has no such ${choice}, only ${known.join(", ")}`);
  }
  if (config !== undefined) return { method: "session/set_config_option", params: { configId: config, value: name } };
  return choice === "mode"
    ? { method: "session/set_mode", params: { modeId: name } }
    : { method: "session/set_model", params: { modelId: name } };
}

function offeredBy(session: unknown, choice: Choice): { readonly known: readonly string[]; readonly config?: string } {
  const { modes, models, configOptions } = offered.safeParse(session).data ?? {};
  // set_mode is the older way and every agent that has modes knows it.
  if (choice === "mode" && modes) return { known: modes.availableModes.map(({ id }) => id) };
  const config = configOptions?.find((each) => each?.category === choice || each?.id === choice);
  if (config) return { known: config.options.flat(), config: config.id };
  return { known: choice === "model" ? (models?.availableModels ?? []).map(({ modelId }) => modelId) : [] };
}
