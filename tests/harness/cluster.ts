// The whole system for one test: real processes, fresh databases, and a scripted model instead of a real one.
//
//    await using cluster = await startCluster();
//    await cluster.service("zed-bridge").restart("SIGKILL");
//
// Everything that belongs to it lies in one folder, which is how `stop` knows whether a process was left behind: it
// throws when one was, when a service had ended by itself, and when one did not stop gracefully.

import { startDemoModel, type DemoModel, type Script } from "@helix-zed/demo-model";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { provideAccessTokens, type TokenHolder } from "../../tools/start/access-tokens.ts";
import { demoEnvironment } from "../../tools/start/model-provider.ts";
import {
  SERVICE_NAMES,
  serviceCommand,
  serviceUrl,
  type ServiceLayout,
  type ServiceName,
} from "../../tools/start/service-commands.ts";
import { settleAll } from "../../tools/start/settle-all.ts";
import { emptyDatabase } from "./fresh-database.ts";
import { freePort } from "./free-port.ts";
import { mustBeGoneAfterFile } from "./leaks.ts";
import { ServiceUnderTest } from "./service-under-test.ts";
import { survivorsOf, type Survivor } from "./survivors.ts";

/** What a test may choose. */
export interface ClusterOptions {
  /** The services that are started; the others can be started later. All by default. */
  readonly services?: readonly ServiceName[];
  /** Settings of single services beside the usual ones. */
  readonly environment?: ServiceLayout["more"];
  /** What the bridge's `agents.json` says, for a model at this address. None by default. */
  readonly agentsFile?: (modelUrl: string) => object;
  /** What the model answers; its default writes a file. */
  readonly script?: Script;
}

/** The token holders of a cluster: two users who are two tenants, and the bridge. */
const HOLDERS = [
  { name: "local", kind: "user", user_id: "local", organization_id: "" },
  { name: "other", kind: "user", user_id: "somebody-else", organization_id: "" },
  { name: "zed-bridge", kind: "service", roles: ["runner"] },
] as const satisfies readonly TokenHolder[];

const SURVIVOR_PATIENCE_MS = 5_000;
const POLL_MS = 50;

/** Starts a cluster and waits until its services are healthy. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "helix-zed-cluster-")));
  const model = await startDemoModel(options.script === undefined ? {} : { script: options.script });
  const cluster = new Cluster(await layOut(folder, model, options), model);
  mustBeGoneAfterFile({
    remains: () => Promise.resolve(cluster.isStopped ? undefined : `the cluster in ${folder}, which was not stopped`),
    discard: () => cluster.discard(),
    report: () => cluster.report(),
  });
  try {
    await settleAll((options.services ?? SERVICE_NAMES).map((name) => cluster.service(name).start()));
    return cluster;
  } catch (error) {
    process.stderr.write(`${cluster.report()}\n`);
    await cluster.discard();
    throw error;
  }
}

async function layOut(
  folder: string,
  model: DemoModel,
  { environment = {}, agentsFile }: ClusterOptions,
): Promise<ServiceLayout> {
  for (const name of ["home", "workspaces"]) mkdirSync(path.join(folder, name));
  const agents = agentsFile === undefined ? {} : { HELIX_ZED_AGENTS_FILE: path.join(folder, "agents.json") };
  if (agentsFile !== undefined) writeFileSync(path.join(folder, "agents.json"), JSON.stringify(agentsFile(model.url)));
  const bridge = { ...demoEnvironment(model.url), ...agents, ...environment["zed-bridge"] };
  const [gateway, task, zedBridge] = [await freePort(), await freePort(), await freePort()];
  return {
    host: "127.0.0.1",
    ports: { gateway, "task-service": task, "zed-bridge": zedBridge },
    dataFolder: folder,
    taskDatabaseUrl: await emptyDatabase(),
    bridgeDatabaseUrl: await emptyDatabase(),
    workspaceRoots: [path.join(folder, "workspaces")],
    tokens: provideAccessTokens(path.join(folder, "tokens"), HOLDERS),
    surroundings: { PATH: process.env["PATH"] ?? "", HOME: path.join(folder, "home"), LANG: "C.UTF-8" },
    more: { ...environment, "zed-bridge": bridge },
  };
}

/** A running system that a test may ill-treat. */
export class Cluster {
  readonly layout: ServiceLayout;
  readonly model: DemoModel;
  readonly #services: ReadonlyMap<ServiceName, ServiceUnderTest>;
  #isStopped = false;

  constructor(layout: ServiceLayout, model: DemoModel) {
    this.layout = layout;
    this.model = model;
    this.#services = new Map(
      SERVICE_NAMES.map((name) => [name, new ServiceUnderTest(serviceCommand(name, layout))] as const),
    );
  }

  get gatewayUrl(): string {
    return serviceUrl("gateway", this.layout);
  }

  get taskUrl(): string {
    return serviceUrl("task-service", this.layout);
  }

  get bridgeUrl(): string {
    return serviceUrl("zed-bridge", this.layout);
  }

  /** The folder below which agents may work. */
  get workspaceRoot(): string {
    return path.join(this.layout.dataFolder, "workspaces");
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The bearer token of a holder: `local` and `other` are users of two tenants. */
  token(holder: (typeof HOLDERS)[number]["name"]): string {
    return this.layout.tokens.token(holder);
  }

  service(name: ServiceName): ServiceUnderTest {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`There is no service ${name}.`);
    return service;
  }

  /** A new git repository with one commit below the workspace root. */
  makeRepository(name: string): string {
    const folder = path.join(this.workspaceRoot, name);
    const git = (...args: string[]): void => void execFileSync("git", args, { cwd: folder, stdio: "pipe" });
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "README.md"), `# ${name}\n`);
    git("init", "--quiet", "--initial-branch=main");
    git("add", ".");
    git("-c", "user.name=Test", "-c", "user.email=test@localhost", "commit", "--quiet", "--no-gpg-sign", "-m", "Begin");
    return folder;
  }

  /** What every service logged last. */
  report(): string {
    return [...this.#services.values()].map((service) => service.report()).join("\n");
  }

  /** Stops everything; throws when something had gone wrong that the test did not do, or a process was left behind. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    const problems = await this.#stopServices();
    const survivors = await this.#awaitEnd();
    problems.push(...survivors.map(({ pid, command }) => `process ${pid} was left behind: ${command}`));
    const report = problems.length > 0 ? this.report() : "";
    await this.discard();
    if (problems.length > 0) throw new Error(`${problems.join("; ")}\n${report}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Removes everything by force, and asks no questions. */
  async discard(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.#stopServices();
    for (const { pid } of survivorsOf(this.layout.dataFolder)) kill(pid);
    await this.model.close();
    rmSync(this.layout.dataFolder, { recursive: true, force: true });
  }

  /** Those that call task-service go before it. */
  async #stopServices(): Promise<string[]> {
    const callers = await Promise.all([this.service("gateway").stop(), this.service("zed-bridge").stop()]);
    const problems = [...callers, await this.service("task-service").stop()];
    return problems.filter((problem) => problem !== undefined);
  }

  async #awaitEnd(): Promise<Survivor[]> {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      const survivors = survivorsOf(this.layout.dataFolder);
      if (survivors.length === 0 || waitedMs >= SURVIVOR_PATIENCE_MS) return survivors;
      await delay(POLL_MS);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended in this moment.
  }
}
