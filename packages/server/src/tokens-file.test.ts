import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hashToken } from "./token-list.ts";
import { readTokensFile, TokensFileError } from "./tokens-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tokens-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: unknown, mode = 0o600): string {
  const path = join(folder, "tokens.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  chmodSync(path, mode);
  return path;
}

function problemsOf(path: string): readonly string[] {
  try {
    readTokensFile(path);
    return [];
  } catch (error) {
    if (error instanceof TokensFileError) return error.problems;
    throw error;
  }
}

const sha256 = hashToken("secret").toString("hex");
const other = hashToken("other").toString("hex");

describe("a tokens file", () => {
  test("names users and services by the hashes of their tokens", () => {
    const tokens = readTokensFile(
      file({
        tokens: [
          { name: "local", sha256, kind: "user", user_id: "local", organization_id: "" },
          { name: "zed-bridge", sha256: other, kind: "service", roles: ["runner"] },
        ],
      }),
    );
    expect(tokens).toEqual([
      { sha256: hashToken("secret"), owner: { kind: "user", name: "local", userId: "local" } },
      { sha256: hashToken("other"), owner: { kind: "service", name: "zed-bridge", roles: ["runner"] } },
    ]);
  });

  test("reports everything that is wrong with it at once", () => {
    const path = file(
      {
        tokens: [
          { name: "", sha256: "xyz", kind: "user", user_id: "a b" },
          { name: "s", sha256, kind: "service", roles: ["admin"] },
          { name: "s", sha256, kind: "service" },
          { name: "k", sha256: other, kind: "king" },
          "nothing",
        ],
      },
      0o644,
    );
    expect(problemsOf(path)).toEqual([
      `others than its owner may use ${path} (mode 0644; chmod 600 mends that)`,
      "tokens[0].sha256 must be 64 hexadecimal digits",
      "tokens[0].name must be 1 to 128 visible ASCII characters",
      "tokens[0].user_id must be 1 to 128 visible ASCII characters",
      "tokens[1].roles must be a list of runner",
      'tokens[3].kind must be "user" or "service"',
      "tokens[4].sha256 must be 64 hexadecimal digits",
      "tokens[4].name must be 1 to 128 visible ASCII characters",
      'tokens[4].kind must be "user" or "service"',
      "tokens[2].sha256 is the same as that of tokens[1]",
      "tokens[2].name is the same as that of tokens[1]",
    ]);
  });

  test("is not quoted when it is broken", () => {
    expect(problemsOf(file('{"tokens": [ secret'))).toEqual(["it is not valid JSON"]);
  });

  test.each([["[]"], ["{}"], ['"a"'], ["null"], ['{"tokens":{}}']])("must hold a list of tokens, not %s", (content) => {
    expect(problemsOf(file(content))).toEqual(['it has no list "tokens"']);
  });

  test("must exist", () => {
    expect(problemsOf(join(folder, "absent.json"))).toEqual([expect.stringContaining("ENOENT")]);
  });
});
