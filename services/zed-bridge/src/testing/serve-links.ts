import { createLog, OnePort } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { type AttemptLimits, usualAttemptLimits } from "../link/attempt-limiter.ts";
import type { LinkLimits } from "../link/link-limits.ts";
import { LinkServer } from "../link/link-server.ts";

/** A link server on a port. */
export interface ServedLinks {
  readonly links: LinkServer;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  close(): Promise<void>;
}

/** Says nothing. */
export const silentLog = createLog({ name: "test", level: "silent" });

/** Serves links on a free port, or on the one that is given, as a bridge does that was restarted. */
export async function serveLinks(
  app: App,
  options: Partial<LinkLimits> & { port?: number; attemptLimits?: AttemptLimits } = {},
): Promise<ServedLinks> {
  const { port: wanted = 0, attemptLimits = usualAttemptLimits, ...limits } = options;
  const links = new LinkServer({ app, log: silentLog, limits: { pollMs: 200, ...limits }, attemptLimits });
  const onePort = new OnePort({
    handler: (_request, response) => {
      response.writeHead(404);
      response.end();
    },
    upgrade: links.upgrade,
  });
  const port = await onePort.listen({ host: "127.0.0.1", port: wanted });
  return {
    links,
    address: `127.0.0.1:${port}`,
    close: async () => {
      await links.close();
      await onePort.close(1_000);
    },
  };
}
