// Who may import whom. A layer that reaches past its neighbours is found here, not in a review.

import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");

interface Room {
  /** The files that the rule is for. */
  readonly files: string;
  /** What they may import: beginnings of package names, or of paths from the room's service. */
  readonly allowed: readonly string[];
}

/** Of Node only hashing, which is a function of its input. */
const DOMAIN = ["@helix-zed/domain", "@mikro-orm/core", "node:crypto", "src/domain/"];
const PERSISTENCE = [...DOMAIN, "@helix-zed/persistence", "@mikro-orm/", "kysely", "pg", "node:", "src/persistence/"];
const APPLICATION = [...PERSISTENCE, "@helix-zed/sync-protocol", "src/application/", "src/workspace/", "src/agents/"];
const TRANSPORT = [
  ...APPLICATION,
  "@helix-zed/gen/",
  "@helix-zed/server",
  "@connectrpc/connect",
  "@bufbuild/",
  "src/transport/",
];

const rooms: readonly Room[] = [
  { files: "services/*/src/domain/**/*.ts", allowed: [...DOMAIN, "@helix-zed/sync-protocol"] },
  { files: "services/*/src/persistence/**/*.ts", allowed: PERSISTENCE },
  { files: "services/*/src/application/**/*.ts", allowed: APPLICATION },
  { files: "services/*/src/transport/**/*.ts", allowed: TRANSPORT },
  {
    files: "services/*/src/mcp/**/*.ts",
    allowed: [
      ...APPLICATION,
      "@helix-zed/client",
      "@helix-zed/gen/",
      "@helix-zed/server",
      "@connectrpc/connect",
      "@bufbuild/",
      "@modelcontextprotocol/server",
      "zod",
      "src/link/token-bucket.ts",
      "src/mcp/",
      "src/runner/session-end.ts",
    ],
  },
  { files: "packages/domain/src/**/*.ts", allowed: ["node:", "src/"] },
  {
    files: "packages/transcoding/src/**/*.ts",
    allowed: ["node:", "src/", "@bufbuild/protobuf", "@connectrpc/connect"],
  },
  { files: "packages/demo-model/src/**/*.ts", allowed: ["node:", "src/"] },
  { files: "packages/sync-protocol/src/**/*.ts", allowed: ["node:", "src/", "zod"] },
];

/** Where a program begins, and what runs every service's main.ts for it. */
const PROGRAMS = /\/(?:main|config|gate|run-service)\.ts$|\/testing\//;

describe("the layers", () => {
  test.each(rooms)("$files import only what they may", ({ files, allowed }) => {
    const sources = sourcesOf(files);
    const trespasses = sources.flatMap((file) =>
      importsOf(file)
        .filter((target) => !allowed.some((beginning) => target.startsWith(beginning)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(sources).not.toEqual([]);
    expect(trespasses).toEqual([]);
  });

  test("the environment is read where programs begin, nowhere else", () => {
    const readers = sourcesOf("{packages,services}/*/src/**/*.ts").filter(
      (file) => !PROGRAMS.test(file) && /^(?!\s*(?:\/\/|\/?\*)).*\bprocess\.env\b/m.test(textOf(file)),
    );
    expect(readers).toEqual([]);
  });

  test("services meet over the wire: none imports another's sources", () => {
    const meetings = sourcesOf("services/*/src/**/*.ts").flatMap((file) =>
      importsOf(file)
        .filter((target) => /^@helix-zed\/(task-service|zed-bridge|gateway)\b/.test(target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(meetings).toEqual([]);
  });
});

function sourcesOf(pattern: string): string[] {
  return globSync(pattern, { cwd: root, exclude: ["**/node_modules/**"] }).filter(
    (file) => !file.endsWith(".test.ts") && !file.includes("/node_modules/"),
  );
}

const STATEMENT = /^(?:import|export)\s+(?:[\w$*{},\s]+?\s+from\s+)?["']([^"']+)["']/gm;

/** What a file imports; its own service's or package's files as a path that begins with `src/`. */
function importsOf(file: string): string[] {
  return [...textOf(file).matchAll(STATEMENT)].map(([, target = ""]) =>
    target.startsWith(".") ? withinPackage(path.join(path.dirname(file), target)) : target,
  );
}

function withinPackage(file: string): string {
  return file.split(path.sep).slice(2).join("/");
}

function textOf(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
