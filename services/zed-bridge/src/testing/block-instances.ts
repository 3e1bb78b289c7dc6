import { Client } from "pg";

/** Holds the rows that every event and every connect needs, until they are released. */
export async function blockInstances(databaseUrl: string): Promise<{ release(): Promise<void> }> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("begin");
  await client.query("lock table zed_thread_mappings, zed_instances in access exclusive mode");
  return {
    release: async () => {
      await client.query("commit");
      await client.end();
    },
  };
}
