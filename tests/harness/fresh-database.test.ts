import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { freshDatabase } from "./fresh-database.ts";
import { closeResources } from "./leaks.ts";

async function execute(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe("freshDatabase", () => {
  test("migrates once for each service and gives every caller a database of its own", async () => {
    let migrations = 0;
    const migrate = async (url: string): Promise<void> => {
      migrations += 1;
      await execute(url, "create table note (text text)");
    };
    const [mine, yours] = await Promise.all([freshDatabase("note-kit", migrate), freshDatabase("note-kit", migrate)]);
    expect(migrations).toBe(1);
    await execute(mine, "insert into note values ('mine')");
    expect(await execute(mine, "select text from note")).toEqual([{ text: "mine" }]);
    expect(await execute(yours, "select text from note")).toEqual([]);
  });

  test("makes a connection that is left open a failure of the file that left it", async () => {
    const client = new Client({ connectionString: await freshDatabase("leaky-kit", () => Promise.resolve()) });
    client.on("error", () => undefined);
    await client.connect();
    await client.query("select 'forgotten'");
    await expect(closeResources(100)).rejects.toThrow(/1 connection\(s\) to test_leaky_kit_.*select 'forgotten'/);
  });
});
