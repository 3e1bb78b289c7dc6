import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createHash } from "node:crypto";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { provideAccessTokens } from "./access-tokens.ts";
import { claimPorts } from "./claim-ports.ts";
import { lockDataFolder } from "./start-lock.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "data folder "));

afterAll(() => rmSync(scratch, { recursive: true }));

describe("the lock of a data folder", () => {
  test("keeps a second start out and names the first", () => {
    const unlock = lockDataFolder(scratch);
    expect(() => lockDataFolder(scratch)).toThrow(`(process ${process.pid})`);
    unlock();
    lockDataFolder(scratch)();
  });

  test("of a process that is gone does not count, even if its id is in use again", () => {
    writeFileSync(path.join(scratch, "start.lock"), "999999999 123\n");
    lockDataFolder(scratch)();
    writeFileSync(path.join(scratch, "start.lock"), `${process.pid} 123\n`);
    if (process.platform === "linux") lockDataFolder(scratch)();
  });
});

describe("access tokens", () => {
  test("are made once, readable by their owner alone, and known to the services by digest only", () => {
    const folder = path.join(scratch, "tokens");
    const first = provideAccessTokens(folder);
    const token = first.token("local");
    expect(provideAccessTokens(folder).token("local")).toBe(token);
    const digests = readFileSync(first.file, "utf8");
    expect(digests).toContain(createHash("sha256").update(token).digest("hex"));
    expect(digests).not.toContain(token);
    for (const file of [first.file, first.tokenFile("local"), first.tokenFile("zed-bridge")])
      expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe("ports", () => {
  test("that are taken are named, all at once, with the setting that moves them", async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void squatter.close());
    const address = squatter.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const wanted = (usedBy: string, setting: string) => ({ port, usedBy, setting });
    const claim = claimPorts("127.0.0.1", [wanted("gateway", "G"), wanted("bridge", "B")]);
    await expect(claim).rejects.toThrow(
      `Port ${port} for the gateway (G) is in use. Port ${port} for the bridge (B) is in use.`,
    );
  });

  test("that are not asked for by number are free ones", async () => {
    const [port] = await claimPorts("127.0.0.1", [{ port: 0, usedBy: "gateway", setting: "G" }]);
    expect(port).toBeGreaterThan(0);
  });
});
