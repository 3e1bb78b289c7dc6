import type { TaskFacts } from "./task.ts";
import type { WorkSessionFacts } from "./work-session.ts";

/** The prompt that a session begins with: its own, else its description, else the task's, else its name. */
export function firstPromptOf(
  session: Pick<WorkSessionFacts, "agentConfig" | "description" | "name">,
  task: Pick<TaskFacts, "description">,
): string {
  return session.agentConfig?.prompt || session.description || task.description || session.name;
}

/** The folder that a session works in: its own, else the task's; empty where neither names one. */
export function projectPathOf(
  session: Pick<WorkSessionFacts, "environmentConfig">,
  task: Pick<TaskFacts, "projectPath">,
): string {
  return session.environmentConfig?.project_path || task.projectPath;
}
