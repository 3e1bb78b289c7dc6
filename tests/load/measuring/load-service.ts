import path from "node:path";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { provideAccessTokens } from "../../../tools/start/access-tokens.ts";
import { ServiceProcess } from "../../../tools/start/service-process.ts";
import { clockOfProcess, type CpuClock } from "./cpu-clock.ts";
import type { LoadDatabase } from "./load-database.ts";

/** A task-service in a process of its own, seen by its user over the wire. */
export interface LoadService {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
  /** A connection of HTTP/2, in one of the protocols. */
  transport(protocol: "connect" | "grpc"): Transport;
  readonly cpuUs: CpuClock;
}

const HOLDERS = [{ name: "ada", kind: "user", user_id: "ada", organization_id: "" }] as const;

/** Lets `work` call a task-service on the database. */
export async function withLoadService(
  { url, folder }: LoadDatabase,
  work: (service: LoadService) => Promise<void>,
): Promise<void> {
  const tokens = provideAccessTokens(path.join(folder, "tokens"), HOLDERS);
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
    const { pid, port } = service;
    const token = tokens.token("ada");
    await work({
      pid,
      port,
      token,
      transport: (protocol) => connect(protocol, port, token),
      cpuUs: clockOfProcess(pid),
    });
  } finally {
    await service.stop();
  }
}

function connect(protocol: "connect" | "grpc", port: number, token: string): Transport {
  const options = {
    baseUrl: `http://127.0.0.1:${port}`,
    interceptors: [bearer(token)],
  };
  return protocol === "grpc" ? createGrpcTransport(options) : createConnectTransport({ ...options, httpVersion: "2" });
}

function bearer(token: string) {
  const authorization = `Bearer ${token}`;
  return <Request extends { readonly header: Headers }, Answer>(next: (request: Request) => Answer) =>
    (request: Request): Answer => {
      request.header.set("authorization", authorization);
      return next(request);
    };
}
