import { readFileSync } from "node:fs";
import path from "node:path";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { provideAccessTokens } from "../../../tools/start/access-tokens.ts";
import { ServiceProcess } from "../../../tools/start/service-process.ts";
import { clockOfProcess, type CpuClock } from "./cpu-clock.ts";
import type { LoadDatabase } from "./load-database.ts";

/** A task-service in a process of its own that many users call, each of them a tenant. */
export interface UsersService {
  readonly cpuUs: CpuClock;
  /** Memory that the process has resident, in KB. */
  residentKb(): number;
  /** A connection of one user's own, over HTTP/2. */
  transport(protocol: "connect" | "grpc", userId: string): Transport;
}

const PAGE_KB = 4;

/** Lets `work` call a task-service on the database, as any of these users. */
export async function withUsersService(
  { url, folder }: LoadDatabase,
  userIds: readonly string[],
  work: (service: UsersService) => Promise<void>,
): Promise<void> {
  const holders = userIds.map(
    (userId) => ({ name: userId, kind: "user", user_id: userId, organization_id: "" }) as const,
  );
  const tokens = provideAccessTokens(path.join(folder, "user-tokens"), holders);
  const service = await ServiceProcess.start({
    name: "task-service",
    environment: {
      PATH: process.env["PATH"] ?? "",
      HELIX_ZED_PORT: "0",
      HELIX_ZED_TOKENS_FILE: tokens.file,
      DATABASE_URL: url,
    },
    logFile: path.join(folder, "task-service.log"),
  });
  try {
    await work({
      cpuUs: clockOfProcess(service.pid),
      residentKb: () => Number(readFileSync(`/proc/${service.pid}/statm`, "utf8").split(" ")[1]) * PAGE_KB,
      transport: (protocol, userId) => connect(protocol, service.port, tokens.token(userId)),
    });
  } finally {
    await service.stop();
  }
}

function connect(protocol: "connect" | "grpc", port: number, token: string): Transport {
  const authorize =
    <Request extends { readonly header: Headers }, Answer>(next: (request: Request) => Answer) =>
    (request: Request): Answer => {
      request.header.set("authorization", `Bearer ${token}`);
      return next(request);
    };
  const options = { baseUrl: `http://127.0.0.1:${port}`, interceptors: [authorize] };
  return protocol === "grpc" ? createGrpcTransport(options) : createConnectTransport({ ...options, httpVersion: "2" });
}
