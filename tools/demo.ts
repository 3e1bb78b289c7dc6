// `npm run demo`: one task from its creation to its end, live, in a throw-away git repository.
//
// The system is the real one, in a folder of its own that is removed at the end, on free ports. Only the model behind the
// agent is a script, unless the environment has credentials for a real one.

import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { ZedThreadService } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { DemoStory } from "./demo/demo-story.ts";
import { plainText } from "./demo/plain-text.ts";
import { startSystem, type RunningSystem } from "./start/running-system.ts";
import { serviceUrl } from "./start/service-commands.ts";
import { readStartSettings } from "./start/start-settings.ts";

const PROMPT = "Add user profile page";

async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "helix-zed-demo-")));
  try {
    await using system = await start(folder, stopping);
    await tell(system, stopping.signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes nothing from the environment but what agents and their models need. */
async function start(folder: string, stopping: AbortController): Promise<RunningSystem & AsyncDisposable> {
  const foreign = Object.entries(process.env).filter(([name]) => !/^(HELIX_ZED_|ZED_|DATABASE_URL$)/.test(name));
  const freePorts = { HELIX_ZED_GATEWAY_PORT: "0", HELIX_ZED_TASK_PORT: "0", HELIX_ZED_BRIDGE_PORT: "0" };
  const environment = { ...Object.fromEntries(foreign), ...freePorts, HELIX_ZED_DATA_DIR: folder };
  console.log("Starting the services for a demonstration …");
  const system = await startSystem(readStartSettings(environment, [], folder), {
    environment,
    stopping: stopping.signal,
    report: (line) => console.log(line),
    giveUp: (line) => {
      console.error(line);
      stopping.abort();
    },
  });
  return { ...system, [Symbol.asyncDispose]: () => system.stop() };
}

async function tell({ layout, model, demoRepository }: RunningSystem, signal: AbortSignal): Promise<void> {
  const transport = createConnectTransport({ baseUrl: serviceUrl("gateway", layout), httpVersion: "1.1" });
  const options = { headers: { authorization: `Bearer ${layout.tokens.token("local")}` }, signal, timeoutMs: 0 };
  const tasks = createClient(TaskService, transport);
  const threads = createClient(ZedThreadService, transport);
  console.log(`\n  model       ${model.description}\n  repository  ${demoRepository}\n  task        ${PROMPT}\n`);
  const { task } = await tasks.createTask(
    { name: PROMPT, description: PROMPT, taskType: TaskType.BATCH, projectPath: demoRepository },
    options,
  );
  const story = new DemoStory((text) => process.stdout.write(text));
  let transcript: Promise<void> | undefined;
  const watch = tasks.watchTasks({ taskIds: [task?.id ?? ""], includeWorkSessions: true }, options);
  for await (const { event } of watch) {
    const workSessionId = story.hearOfTask(event);
    if (workSessionId !== undefined) transcript ??= story.follow(threads.watchZedThread({ workSessionId }, options));
  }
  await transcript;
  console.log(`\nIn the repository now:\n${whatIsNew(demoRepository)}`);
}

function whatIsNew(repository: string): string {
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: repository, encoding: "utf8" });
  git("add", "--all");
  return plainText(git("diff", "--cached", "--no-color"));
}

await main().catch((error: unknown) => {
  console.error(`The demonstration ended early: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
if (process.connected) process.disconnect();
