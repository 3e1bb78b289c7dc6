import type { App } from "./app.ts";

const PRESENTED_ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

/** The id of the instance that presents this session id when it connects; `null`: none does. */
export async function findPresentingInstance(app: App, presentedId: string): Promise<string | null> {
  // It comes from a URL and may be anything.
  if (!PRESENTED_ID.test(presentedId)) return null;
  return app.database.transact(({ instances }) => instances.presenting(presentedId));
}
