import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TokenCodec } from "./token-codec.ts";

const options = {
  kind: "test",
  reason: "PAGE_TOKEN_INVALID",
  version: 1,
  parse: (value: unknown) => (typeof value === "number" ? value : undefined),
} as const;
const codec = new TokenCodec<number>(options);
const refused = expect.objectContaining({ reason: "PAGE_TOKEN_INVALID" });

describe("a token", () => {
  test("gives back what was put in, for the same request", () => {
    fc.assert(
      fc.property(fc.integer(), fc.jsonValue(), (payload, boundTo) => {
        expect(codec.decode(codec.encode(payload, boundTo), boundTo)).toBe(payload);
      }),
    );
  });

  test("is safe in URLs and headers", () => {
    expect(codec.encode(123, ["ü", "/"])).toMatch(/^[\w-]+$/);
  });

  test("is refused for another request, of another kind, and of another version", () => {
    const token = codec.encode(1, ["a"]);
    expect(() => codec.decode(token, ["b"])).toThrow(refused);
    expect(() => new TokenCodec({ ...options, kind: "other" }).decode(token, ["a"])).toThrow(refused);
    expect(() => new TokenCodec({ ...options, version: 2 }).decode(token, ["a"])).toThrow(refused);
  });

  test("has one spelling: with anything added to it, it is refused", () => {
    const token = codec.encode(1, []);
    for (const other of ["A", "AA", "AAA", "=", " ", "!", "\n"]) {
      expect(() => codec.decode(`${token}${other}`, [])).toThrow(refused);
    }
  });

  test("is refused with a payload that is none", () => {
    const parts: unknown = JSON.parse(Buffer.from(codec.encode(1, []), "base64url").toString());
    const forged = JSON.stringify(Array.isArray(parts) ? [...parts.slice(0, 2), "x"] : []);
    expect(() => codec.decode(Buffer.from(forged).toString("base64url"), [])).toThrow(refused);
  });

  test("that somebody made up is refused, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString("base64url")),
        ),
        (token) => {
          expect(() => codec.decode(token, [])).toThrow(refused);
        },
      ),
    );
  });
});
