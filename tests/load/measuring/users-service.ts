import { readFileSync } from "node:fs";
import path from "node:path";
import { provideAccessTokens } from "../../../tools/start/access-tokens.ts";
import { ServiceProcess } from "../../../tools/start/service-process.ts";
import { clockOfProcess, type CpuClock } from "./cpu-clock.ts";
import type { LoadDatabase } from "./load-database.ts";

/** A task-service in a process of its own that many users call, each of them a tenant. */
export interface UsersService {
  readonly cpuUs: CpuClock;
  /** Memory that the process has resident, in KB. */
  residentKb(): number;
  readonly port: number;
  token(userId: string): string;
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
      // What is young in the heap has room that grows with traffic up to 48 MB, whoever the traffic is for.
      NODE_OPTIONS: "--max-semi-space-size=2",
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
      port: service.port,
      token: (userId) => tokens.token(userId),
    });
  } finally {
    await service.stop();
  }
}
