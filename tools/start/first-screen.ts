import type { RunningSystem } from "./running-system.ts";
import { serviceUrl } from "./service-commands.ts";

/** What a person sees once everything runs: where things are, and three commands to try. */
export function firstScreen(system: RunningSystem, readyAfterMs: number): string {
  const { layout, model, databases } = system;
  const gateway = serviceUrl("gateway", layout);
  const token = layout.tokens.token("local");
  return [
    "",
    `Helix-Zed is running (ready after ${(readyAfterMs / 1000).toFixed(1)} s). Ctrl-C stops it.`,
    "",
    `  REST API    ${gateway}/api/v1`,
    `  gRPC        ${address(system, "task-service")}   ${address(system, "zed-bridge")}`,
    `  Dashboard   ${gateway}/#token=${token}`,
    `  Token       ${token}   (${layout.tokens.tokenFile("local")})`,
    `  Model       ${model.description}`,
    `  Agents may  work below ${layout.workspaceRoots.join(", ")}`,
    `  Database    ${databases.description}`,
    `  Logs        ${layout.dataFolder}/logs`,
    "",
    ...commands(system, gateway, token),
  ].join("\n");
}

function address({ layout }: RunningSystem, name: "task-service" | "zed-bridge"): string {
  return `${serviceUrl(name, layout).replace("http://", "")} (${name})`;
}

function commands({ demoRepository }: RunningSystem, gateway: string, token: string): string[] {
  const call = `curl -sS -H 'authorization: Bearer ${token}'`;
  const api = `${gateway}/api/v1`;
  const task = {
    name: "Add user profile page",
    task_type: "batch",
    project_path: demoRepository,
    work_sessions: [{ name: "Implement it", agent_type: "zed_agent", description: "Add user profile page" }],
  };
  return [
    "Create a task for an agent, in a git repository made for this:",
    `  TASK=$(${call} -H 'content-type: application/json' -d ${quote(JSON.stringify(task))} ${api}/tasks | tee /dev/stderr | ${firstId("tsk")})`,
    "",
    "Watch it go from pending to completed:",
    `  ${call} -N "${api}/tasks:watch?include_work_sessions=true&task_ids=$TASK"`,
    "",
    "Read what the agent said and did:",
    `  SESSION=$(${call} ${api}/tasks/$TASK/work-sessions | ${firstId("ws")}); ${call} ${api}/work-sessions/$SESSION/zed-thread/entries`,
    "",
  ];
}

/** A filter that finds the first id of a kind in JSON. */
function firstId(prefix: string): string {
  return `grep -o '${prefix}_[0-9a-f]*' | head -n 1`;
}

/** One word for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
