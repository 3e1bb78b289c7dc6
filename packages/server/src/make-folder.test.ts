import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "make folder "));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("a folder", () => {
  test("is made with those above it, private where that is asked for, and may be there already", () => {
    const folder = path.join(scratch, "a", "b");
    makeFolder(folder, 0o700);
    makeFolder(folder, 0o700);
    for (const made of [folder, path.dirname(folder)]) expect(statSync(made).mode & 0o777).toBe(0o700);
  });

  test("cannot be made where a file is", () => {
    writeFileSync(path.join(scratch, "file"), "");
    expect(() => makeFolder(path.join(scratch, "file"))).toThrow("EEXIST");
    expect(() => makeFolder(path.join(scratch, "file", "x", "y"))).toThrow("ENOTDIR");
  });

  test.runIf(process.platform === "linux")("cannot be made below /proc, which is said at once", () => {
    expect(() => makeFolder("/proc/x")).toThrow("ENOENT");
    expect(() => makeFolder("/proc/x/y/z")).toThrow("ENOENT");
  });
});
