import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { choice, integer, list, path, pathList, port, secretFile, url } from "./parsers.ts";

const folder = mkdtempSync(join(tmpdir(), "parsers-"));
afterAll(() => rmSync(folder, { recursive: true }));

function secret(content: string, mode: number): string {
  const file = join(folder, `secret-${mode}-${content.length}`);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

describe("reading a setting", () => {
  test("takes whole numbers within their bounds only", () => {
    const parse = integer({ min: -5, max: 5, unit: "s" });
    expect(["-5", "0", "5"].map((value) => parse(value))).toEqual([-5, 0, 5]);
    for (const value of ["6", "-6", "1.5", "1e0", "0x1", " 1", "one", "99999999999999999999"]) {
      expect(() => parse(value)).toThrow("must be a whole number of s from -5 to 5");
    }
  });

  test("takes ports from 0 to 65535", () => {
    expect(port()("65535")).toBe(65_535);
    expect(() => port()("65536")).toThrow("must be a whole number from 0 to 65535");
  });

  test("takes URLs of the schemes that are meant, and never quotes one", () => {
    expect(url("http", "https")("http://127.0.0.1:8081")).toBe("http://127.0.0.1:8081");
    expect(url("postgres")("postgres:///db?host=/run")).toBe("postgres:///db?host=/run");
    for (const value of ["ftp://user:hunter2@host", "user:hunter2@host", "127.0.0.1:8081"]) {
      expect(() => url("http", "https")(value)).toThrow(/^must be a URL that begins with http:\/\/ or https:\/\/$/);
    }
  });

  test("takes one of a few words", () => {
    expect(choice("info", "debug")("debug")).toBe("debug");
    expect(() => choice("info", "debug")("loud")).toThrow('must be one of info, debug, not "loud"');
  });

  test("takes lists without empty entries", () => {
    expect(list()("zed_agent, simple")).toEqual(["zed_agent", "simple"]);
    expect(() => list()("a,,b")).toThrow("without empty entries");
  });

  test("takes absolute paths", () => {
    expect(path()("/a b/c")).toBe("/a b/c");
    expect(() => path()("a/b")).toThrow('must be an absolute path, not "a/b"');
    expect(pathList()("/a:/b c:")).toEqual(["/a", "/b c"]);
    expect(() => pathList()("/a:b")).toThrow('must be absolute paths separated by colons, not "b"');
    expect(() => pathList()(":")).toThrow("must be absolute paths");
  });

  test("takes the secret from a file that only its owner may read", () => {
    expect(secretFile()(secret("s3cret\n", 0o600))).toBe("s3cret");
  });

  test("refuses secret files that are open to others, empty or absent, without quoting them", () => {
    expect(() => secretFile()(secret("s3cret", 0o644))).toThrow(/mode 0644; chmod 600 mends that/);
    expect(() => secretFile()(secret("s3cret", 0o644))).toThrow(expect.not.stringContaining("s3cret"));
    expect(() => secretFile()(secret(" \n", 0o600))).toThrow("which is empty");
    expect(() => secretFile()(join(folder, "absent"))).toThrow("ENOENT");
  });
});
