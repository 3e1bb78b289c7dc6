import {
  type AgentPlan,
  type AgentStep,
  begin,
  costs,
  crash,
  hold,
  rewrite,
  say,
  stop,
  tool,
} from "@helix-zed/harness/fake-zed/agent-plan.ts";

/** How an agent deals with a prompt. */
export type Behaviour = keyof typeof behaviours;

/** What it does, told by the prompt's own name, so that nobody's words can be taken for another's. */
const behaviours = {
  answers: (name: string): AgentPlan => [say(`${name}: one`), say(" two"), costs(2)],
  answersSlowly: (name: string): AgentPlan => [say(`${name}: one`), hold(name), say(" two")],
  beginsSlowly: (name: string): AgentPlan => [hold(name), say(`${name}: at last`)],
  usesTools: (name: string): AgentPlan => [
    say(`${name}: I look`),
    tool(name, "In Progress", name),
    hold(name),
    tool(name, "Completed", `${name}: found`),
    begin(`${name}: done`),
  ],
  goesOnAfterItsEnd: (name: string): AgentPlan => [
    say(`${name}: one`),
    begin(`${name}: running`),
    stop,
    hold(name),
    rewrite(1, `${name}: ended`),
  ],
  saysNothing: (): AgentPlan => [],
  refuses: (name: string): AgentPlan => [say(`${name}: no`), { kind: "fail", error: "the model says no" }],
  dies: (name: string): AgentPlan => [say(`${name}: I d`), crash],
} as const;

/** All of them. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the names
export const allBehaviours = Object.keys(behaviours) as Behaviour[];

/** What an agent does with a prompt of this name; who is not to wait holds nowhere, and who has died once does not again. */
export function planOf(
  behaviour: Behaviour,
  { name, attempt, waits }: { readonly name: string; readonly attempt: number; readonly waits: boolean },
): AgentPlan {
  const plan = behaviours[behaviour === "dies" && attempt > 1 ? "answers" : behaviour](name);
  return waits ? plan : plan.filter((step: AgentStep) => step.kind !== "hold");
}

/** How a turn with it ends where nothing comes between. */
export function endOf(behaviour: Behaviour): string {
  if (behaviour === "saysNothing") return "failed EMPTY_RESPONSE";
  return behaviour === "refuses" ? "failed AGENT_ERROR" : "completed";
}
