import { isProcessAlive } from "@helix-zed/embedded-postgres";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { ServiceProcess } from "./service-process.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "service process "));

afterAll(() => rmSync(scratch, { recursive: true }));

const READY = `console.log(JSON.stringify({ ready: "echo", port: 4711 }));`;
const WAIT = `setInterval(() => {}, 1000);`;

function command(name: string, source: string, environment: Record<string, string> = {}) {
  const program = path.join(scratch, `${name}.mjs`);
  writeFileSync(program, source);
  return { name: "echo", environment, program, logFile: path.join(scratch, `${name}.log`) };
}

async function start(name: string, source: string, environment?: Record<string, string>): Promise<ServiceProcess> {
  const service = await ServiceProcess.start(command(name, source, environment));
  onTestFinished(async () => void (await service.stop()));
  return service;
}

describe("a service process", () => {
  test("is ready when it says so, sees only the environment it was given, and logs to its file", async () => {
    const source = `console.error(JSON.stringify(process.env)); ${READY} ${WAIT}`;
    const service = await start("plain", source, { ONLY: "this" });
    expect(service.port).toBe(4711);
    expect(service.lastLines(1)).toEqual(['{"ONLY":"this"}']);
  });

  test("that cannot start says why in its own words, not in those of an earlier process", async () => {
    const earlier = command("broken", `console.error("earlier words"); ${READY}`);
    await (
      await ServiceProcess.start(earlier)
    ).exited;
    const broken = command("broken", `console.error("echo cannot start: the database is away"); process.exit(1)`);
    await expect(ServiceProcess.start(broken)).rejects.toThrow(/^echo cannot start: the database is away$/);
    await expect(ServiceProcess.start(command("broken", "process.exit(1)"))).rejects.toThrow("wrote nothing");
    const thrown = command("thrown", 'throw new TypeError("a bug")');
    await expect(ServiceProcess.start(thrown)).rejects.toThrow(/^TypeError: a bug$/);
  });

  test("is stopped when the start is given up", async () => {
    const signal = AbortSignal.timeout(200);
    await expect(ServiceProcess.start(command("slow", WAIT), signal)).rejects.toThrow("aborted");
  });

  test("takes what it started with it, even when it does not stop by itself", async () => {
    const source = `import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
      console.error(child.pid); ${READY} ${WAIT}`;
    const service = await start("parent", source);
    const [child] = service.lastLines(1);
    expect(await service.stop()).toMatchObject({ signal: "SIGTERM" });
    await expect.poll(() => isProcessAlive(Number(child))).toBe(false);
  });
});
