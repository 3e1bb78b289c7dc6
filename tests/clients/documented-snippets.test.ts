import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const page = readFileSync(path.resolve(import.meta.dirname, "../../docs/clients.md"), "utf8");
const run = promisify(execFile);

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ services: ["task-service", "gateway"] });
}, 60_000);

afterAll(() => cluster.stop());

/** The first piece of code below a heading of the page. */
function snippetOf(heading: string, language: string): string {
  const section = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? "";
  const [, code] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "m").exec(section) ?? [];
  if (code === undefined) throw new Error(`docs/clients.md has no ${language} below "${heading}".`);
  return code;
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HELIX_ZED_URL: cluster.gatewayUrl, HELIX_ZED_TOKEN: cluster.token("local") };
}

describe("what docs/clients.md shows", () => {
  test.each(["node", "web"])(
    "runs as it stands, in TypeScript (%s)",
    async (platform) => {
      // Beside this file, so that it finds the packages.
      const file = path.join(import.meta.dirname, `documented-snippet-${platform}.ts`);
      writeFileSync(
        file,
        snippetOf("TypeScript", "ts").replace("@helix-zed/client/node", `@helix-zed/client/${platform}`),
      );
      try {
        const { stdout } = await run(process.execPath, [file], { env: environment() });
        expect(stdout).toContain("live 1 1");
        expect(stdout).toMatch(/ended: tsk_/);
      } finally {
        rmSync(file);
      }
    },
    30_000,
  );

  test("runs as it stands, with curl", async () => {
    const { stdout } = await run("sh", ["-eu", "-c", snippetOf("curl", "sh")], { env: environment() });
    expect(stdout).toContain('"status":"cancelled"');
    expect(stdout).toContain("event: synced");
    expect(stdout).toContain("event: end");
  });
});
