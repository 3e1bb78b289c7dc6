import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeHostFolders } from "./testing/host-process.ts";
import { ThreadIndex } from "./thread-index.ts";

const folders = makeHostFolders();
afterAll(() => folders.remove());

const known = {
  id: "T",
  agent: "qwen",
  wire_name: "zed-agent",
  cwd: "/work",
  created_at_ms: 1,
  prompted: false,
  last_request: { id: "R", answered: true, user_messages: 1 },
};

describe("the index of threads", () => {
  test("is there again after a restart", () => {
    const file = join(folders.dataDir, "deep", "threads.json");
    const index = ThreadIndex.open(file);
    expect(index.isEmpty).toBe(true);
    index.put(known);
    index.put({ ...known, prompted: true });
    const again = ThreadIndex.open(file);
    expect(again.isEmpty).toBe(false);
    expect(again.get("T")).toEqual({ ...known, prompted: true });
    expect(again.get("U")).toBeUndefined();
    expect(again.findByRequest("R")?.id).toBe("T");
  });

  test("refuses a damaged file instead of losing its threads", () => {
    const file = join(folders.dataDir, "damaged.json");
    writeFileSync(file, '{"threads":[{"id":1}]}');
    expect(() => ThreadIndex.open(file)).toThrow("is damaged");
    writeFileSync(file, '{"thre');
    expect(() => ThreadIndex.open(file)).toThrow("is damaged");
  });
});
