import { defineConfig } from "vitest/config";
import { LongFilesFirst } from "./tests/harness/long-files-first.ts";

export default defineConfig({
  test: {
    include: ["{packages,services,tests,tools}/**/*.test.ts"],
    globalSetup: ["tests/harness/global-setup.ts"],
    setupFiles: ["tests/harness/each-file.ts"],
    reporters: ["default", "./tests/harness/summary-reporter.ts"],
    // Every file has its own database and closes what it opens, so files can share a process: importing the ORM and
    // the RPC stack once instead of once a file halves the time of a run.
    isolate: false,
    maxWorkers: 2,
    sequence: { sequencer: LongFilesFirst },
    // Many times what a test takes on a quiet machine: the machine may be slow, or busy.
    testTimeout: 60_000,
    hookTimeout: 90_000,
    teardownTimeout: 15_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
});
