// Several task-service processes on one database, for one test.
//
//    await using replicas = await startTaskReplicas({ count: 2 });
//    await replicas.service(0).restart("SIGKILL");
//
// As in a cluster, every process keeps its port for as long as the test goes on, and `stop` throws when one of them had
// ended by itself or does not stop gracefully.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type AccessTokens, provideAccessTokens, type TokenHolder } from "../../tools/start/access-tokens.ts";
import { serviceCommand, type ServiceLayout } from "../../tools/start/service-commands.ts";
import { settleAll } from "../../tools/start/settle-all.ts";
import { emptyDatabase } from "./fresh-database.ts";
import { freePort } from "./free-port.ts";
import { mustBeGoneAfterFile } from "./leaks.ts";
import type { TcpProxy } from "./tcp-proxy.ts";
import { ServiceUnderTest } from "./service-under-test.ts";

/** What a test may choose. */
export interface TaskReplicasOptions {
  /** How many processes; one unless told otherwise. */
  readonly count?: number;
  /** An empty or migrated database; one of their own unless told otherwise. */
  readonly databaseUrl?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Two users who are two tenants, and a runner. */
const HOLDERS = [
  { name: "local", kind: "user", user_id: "local", organization_id: "" },
  { name: "other", kind: "user", user_id: "somebody-else", organization_id: "" },
  { name: "runner", kind: "service", roles: ["runner"] },
] as const satisfies readonly TokenHolder[];

/** How a client reaches a replica. */
export interface CallOptions {
  readonly replica?: number;
  readonly holder?: (typeof HOLDERS)[number]["name"];
  readonly httpVersion?: "1.1" | "2";
  /** What stands between, if anything does. */
  readonly proxy?: TcpProxy;
}

/** Starts the replicas together and waits until all are healthy. */
export async function startTaskReplicas(options: TaskReplicasOptions = {}): Promise<TaskReplicas> {
  const replicas = await layOutTaskReplicas(options);
  try {
    await replicas.start();
    return replicas;
  } catch (error) {
    process.stderr.write(`${replicas.report()}\n`);
    await replicas.discard();
    throw error;
  }
}

/** The same, without starting any. */
export async function layOutTaskReplicas(options: TaskReplicasOptions = {}): Promise<TaskReplicas> {
  const { count = 1, environment = {} } = options;
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "helix-zed-replicas-")));
  const databaseUrl = options.databaseUrl ?? (await emptyDatabase());
  const tokens = provideAccessTokens(path.join(folder, "tokens"), HOLDERS);
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  const services = ports.map((port, index) => {
    const layout = layoutOf({ folder: path.join(folder, String(index)), port, databaseUrl, tokens, environment });
    return new ServiceUnderTest(serviceCommand("task-service", layout));
  });
  const replicas = new TaskReplicas({ folder, databaseUrl, ports, tokens, services });
  mustBeGoneAfterFile({
    remains: async () => (replicas.isStopped ? undefined : `the replicas in ${folder}, which were not stopped`),
    discard: () => replicas.discard(),
    report: () => replicas.report(),
  });
  return replicas;
}

interface OneReplica {
  readonly folder: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly tokens: AccessTokens;
  readonly environment: Readonly<Record<string, string>>;
}

function layoutOf({ folder, port, databaseUrl, tokens, environment }: OneReplica): ServiceLayout {
  return {
    host: "127.0.0.1",
    ports: { gateway: 0, "task-service": port, "zed-bridge": 0 },
    dataFolder: folder,
    taskDatabaseUrl: databaseUrl,
    bridgeDatabaseUrl: "",
    workspaceRoots: [],
    tokens,
    surroundings: { PATH: process.env["PATH"] ?? "", HOME: folder, LANG: "C.UTF-8" },
    more: { "task-service": environment },
  };
}

interface Parts {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly ports: readonly number[];
  readonly tokens: AccessTokens;
  readonly services: readonly ServiceUnderTest[];
}

/** Processes on one database that a test may ill-treat. */
export class TaskReplicas {
  readonly databaseUrl: string;
  readonly services: readonly ServiceUnderTest[];
  readonly #parts: Parts;
  #isStopped = false;
  #lastReport = "";

  constructor(parts: Parts) {
    this.#parts = parts;
    this.databaseUrl = parts.databaseUrl;
    this.services = parts.services;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  service(index: number): ServiceUnderTest {
    const service = this.services[index];
    if (service === undefined) throw new Error(`There is no replica ${index}.`);
    return service;
  }

  url(index: number): string {
    const port = this.#parts.ports[index];
    if (port === undefined) throw new Error(`There is no replica ${index}.`);
    return `http://127.0.0.1:${port}`;
  }

  /** The file that the services know the tokens by. */
  get tokensFile(): string {
    return this.#parts.tokens.file;
  }

  token(holder: (typeof HOLDERS)[number]["name"]): string {
    return this.#parts.tokens.token(holder);
  }

  /** A way to call one of them, as one holder. */
  transport({ replica = 0, holder = "local", httpVersion = "2", proxy }: CallOptions = {}): Transport {
    const baseUrl = proxy === undefined ? this.url(replica) : `http://127.0.0.1:${proxy.port}`;
    const authorize: Interceptor = (next) => (request) => {
      request.header.set("authorization", `Bearer ${this.token(holder)}`);
      return next(request);
    };
    return createConnectTransport({ baseUrl, httpVersion, interceptors: [authorize] });
  }

  /** Starts all of them together. */
  async start(): Promise<void> {
    await settleAll(this.services.map((service) => service.start()));
  }

  /** What every process logged last. */
  report(): string {
    if (this.#isStopped) return this.#lastReport;
    return this.services.map((service) => service.report()).join("\n");
  }

  /** Stops them together; throws when something had gone wrong that the test did not do. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    const outcomes = await Promise.all(this.services.map((service) => service.stop()));
    const problems = outcomes.filter((problem) => problem !== undefined);
    await this.discard();
    if (problems.length > 0) throw new Error(`${problems.join("; ")}\n${this.#lastReport}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Removes everything by force, and asks no questions. */
  async discard(): Promise<void> {
    if (this.#isStopped) return;
    await Promise.all(this.services.map((service) => service.stop()));
    this.#lastReport = this.report();
    this.#isStopped = true;
    rmSync(this.#parts.folder, { recursive: true, force: true });
  }
}
