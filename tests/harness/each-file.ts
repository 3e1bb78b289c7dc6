import { afterAll, afterEach } from "vitest";
import { closeResources, reports } from "./leaks.ts";

// vitest runs this before each test file; hooks run in reverse, so these come after the file's own.

afterEach(({ task }) => {
  if (task.result?.state !== "fail") return;
  for (const report of reports()) process.stderr.write(`${report}\n`);
});

afterAll(() => closeResources());
