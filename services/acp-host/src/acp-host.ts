import { join } from "node:path";
import type { Logger } from "pino";
import type { Environment } from "./passed-environment.ts";
import { Agents } from "./agents.ts";
import type { Config } from "./config.ts";
import { defaultAgents } from "./default-agents.ts";
import { Host } from "./host.ts";
import { Outbox } from "./outbox.ts";
import { PermissionDesk } from "./permission-desk.ts";
import { SyncClient } from "./sync-client.ts";
import type { SyncEvent } from "@helix-zed/sync-protocol";
import { ThreadIndex } from "./thread-index.ts";
import { Threads } from "./threads.ts";
import type { Timer, World } from "./world.ts";

export interface AcpHostOptions {
  readonly config: Config;
  readonly environment: Environment;
  readonly nodePath: string;
  readonly world: World;
  readonly log: Logger;
  /** Called when there was no link for too long: whoever started this host has forgotten it. */
  readonly onOrphaned: () => void;
}

/** A running host; `stop` ends the link first, so that no turn is reported as failed, and then the agents. */
export interface AcpHost {
  stop(): Promise<void>;
}

/** Puts the parts together and connects. */
export function startAcpHost(options: AcpHostOptions): AcpHost {
  const { config, environment, nodePath, world, log } = options;
  const index = ThreadIndex.open(join(config.dataDir, "threads.json"));
  const send = (event: SyncEvent): void => client.send(event);
  const { defaultAgent, dataDir, workDir, permissionLimitMs } = config;
  const definitions = [...config.agents, ...defaultAgents(nodePath)];
  const agents = new Agents({ definitions, defaultAgent, environment, dataDir, workDir, world, log });
  const desk = new PermissionDesk({ world, send, limitMs: permissionLimitMs });
  const threads = new Threads({ agents, index, workDir, world, log, send, desk });
  const host = new Host({ ...config, threads, desk, hasThreads: !index.isEmpty, world, log, send });
  let orphanTimer: Timer | undefined;
  const watchLink = (state: "up" | "down"): void => {
    if (state === "up") orphanTimer?.cancel();
    orphanTimer = state === "up" ? undefined : (orphanTimer ?? world.after(config.orphanTimeoutMs, options.onOrphaned));
  };
  const client = new SyncClient({
    ...config,
    world,
    log,
    outbox: new Outbox(),
    onFrame: (text) => host.onFrame(text),
    onLink: (state) => {
      watchLink(state);
      host.onLink(state);
    },
  });
  watchLink("down");
  client.start();
  return {
    async stop() {
      orphanTimer?.cancel();
      await client.close();
      await agents.stop();
    },
  };
}
