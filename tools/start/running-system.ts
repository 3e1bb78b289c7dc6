// The whole system on this machine: PostgreSQL, the three services, and a demo model where there is no real one.
//
//   lock, ports ─┬─▶ databases ───────┬─▶ task-service ─┬─▶ running
//                ├─▶ model            ├─▶ zed-bridge   ─┤
//                └─▶ demo repository ─┴─▶ gateway      ─┘
//
// What was started is stopped in the reverse order, whether a start failed half-way, a process could not be kept
// running, or somebody asked for it.

import type { Environment } from "@helix-zed/server/environment";
import { makeFolder } from "@helix-zed/server/make-folder";
import path from "node:path";
import { provideAccessTokens } from "./access-tokens.ts";
import { claimPorts } from "./claim-ports.ts";
import { provideDemoRepository } from "./demo-repository.ts";
import { provideModel, type ModelProvider } from "./model-provider.ts";
import { provideDatabases, supervisedPostgres, type Databases } from "./provide-databases.ts";
import { SERVICE_NAMES, serviceCommand, type ServiceLayout, type ServiceName } from "./service-commands.ts";
import { ServiceProcess } from "./service-process.ts";
import { passedSettings, surroundings } from "./service-surroundings.ts";
import { settleAll } from "./settle-all.ts";
import { lockDataFolder } from "./start-lock.ts";
import type { StartSettings } from "./start-settings.ts";
import { Supervisor } from "./supervise.ts";

/** What the start needs from the outside. */
export interface Outside {
  readonly environment: Environment;
  /** Ends the start. */
  readonly stopping: AbortSignal;
  /** Shows a line of progress. */
  report(line: string): void;
  /** Called once, with the reason, when a process cannot be kept running. */
  giveUp(line: string): void;
}

/** A system whose services are all healthy. */
export interface RunningSystem {
  readonly layout: ServiceLayout;
  readonly databases: Databases;
  readonly model: ModelProvider;
  readonly demoRepository: string;
  /** Stops everything and answers when it is gone. */
  stop(): Promise<void>;
}

/** Starts everything; throws a one-line reason, with everything stopped again, when that is not possible. */
export async function startSystem(settings: StartSettings, outside: Outside): Promise<RunningSystem> {
  await using started = new AsyncDisposableStack();
  started.defer(openDataFolder(settings.dataFolder));
  const ports = await claimServicePorts(settings);
  const [databases, model, demoRepository] = await settleAll([
    startDatabases(settings, outside, started),
    startModel(outside, started),
    provideDemoRepository(path.join(settings.dataFolder, "workspaces", "demo")),
  ]);
  const layout: ServiceLayout = {
    host: settings.host,
    ports,
    dataFolder: settings.dataFolder,
    taskDatabaseUrl: databases.taskUrl,
    bridgeDatabaseUrl: databases.bridgeUrl,
    workspaceRoots: settings.workspaceRoots,
    tokens: provideAccessTokens(path.join(settings.dataFolder, "tokens")),
    surroundings: surroundings(outside.environment),
    more: passedSettings(settings, model),
  };
  await startServices(layout, outside, started);
  const running = started.move();
  return { layout, databases, model, demoRepository, stop: () => running.disposeAsync() };
}

/** Makes the folder and locks it; answers how to unlock it. */
function openDataFolder(folder: string): () => void {
  try {
    makeFolder(folder);
    return lockDataFolder(folder);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new Error(`${folder} cannot be used (${String(error.code)}); set HELIX_ZED_DATA_DIR to another folder.`, {
      cause: error,
    });
  }
}

async function claimServicePorts(settings: StartSettings): Promise<Record<ServiceName, number>> {
  const [gateway, task, bridge] = await claimPorts(settings.host, [
    { port: settings.gatewayPort, usedBy: "gateway", setting: "HELIX_ZED_GATEWAY_PORT" },
    { port: settings.taskPort, usedBy: "task-service", setting: "HELIX_ZED_TASK_PORT" },
    { port: settings.bridgePort, usedBy: "zed-bridge", setting: "HELIX_ZED_BRIDGE_PORT" },
  ]);
  return { gateway, "task-service": task, "zed-bridge": bridge };
}

async function startDatabases(
  settings: StartSettings,
  outside: Outside,
  started: AsyncDisposableStack,
): Promise<Databases> {
  const databases = await timed("database", outside, () => provideDatabases(settings));
  if (databases.postgres !== undefined) {
    const supervisor = supervisedPostgres(databases.postgres, settings, outside);
    started.defer(() => supervisor.stop());
  }
  return databases;
}

async function startModel(outside: Outside, started: AsyncDisposableStack): Promise<ModelProvider> {
  const model = await provideModel(outside.environment);
  started.defer(() => model.close());
  return model;
}

/** Starts them side by side; the first that fails ends the start of the others. */
async function startServices(layout: ServiceLayout, outside: Outside, started: AsyncDisposableStack): Promise<void> {
  const supervisors = new Map<ServiceName, Supervisor>();
  started.defer(() => stopServices(supervisors));
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, outside.stopping]);
  const start = async (name: ServiceName): Promise<void> => {
    const command = serviceCommand(name, layout);
    const first = await timed(name, outside, () => ServiceProcess.start(command, signal));
    const restart = (): Promise<ServiceProcess> => ServiceProcess.start(command, outside.stopping);
    supervisors.set(name, new Supervisor(first, { ...outside, name, restart }));
  };
  await settleAll(
    SERVICE_NAMES.map((name) =>
      start(name).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
}

/** Those that call task-service go before it. */
async function stopServices(supervisors: ReadonlyMap<ServiceName, Supervisor>): Promise<void> {
  await Promise.all([supervisors.get("gateway")?.stop(), supervisors.get("zed-bridge")?.stop()]);
  await supervisors.get("task-service")?.stop();
}

async function timed<T>(name: string, outside: Outside, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  outside.report(`  ✓ ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return result;
}
