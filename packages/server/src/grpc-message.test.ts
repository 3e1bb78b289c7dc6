import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { encodeGrpcMessage, respellTrailers } from "./grpc-message.ts";

describe("a message in a gRPC trailer", () => {
  test("stays readable as far as it is printable ASCII", () => {
    expect(encodeGrpcMessage("id: must be “a/b”, 100 %\n")).toBe("id: must be %E2%80%9Ca/b%E2%80%9D, 100 %25%0A");
  });

  test("is read alike by clients that decode URIs and by those that decode all of it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (message) => {
        const encoded = encodeGrpcMessage(message);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(encoded)).toBe(message);
        expect(decodeURI(encoded)).toBe(message);
      }),
    );
  });

  test("is spelt anew without touching the other trailers", () => {
    const trailers = new Headers({ "grpc-status": "5", "grpc-message": encodeURIComponent("a: b") });
    expect(Object.fromEntries(respellTrailers(trailers))).toEqual({ "grpc-status": "5", "grpc-message": "a: b" });
    expect(Object.fromEntries(respellTrailers(new Headers({ "grpc-status": "0" })))).toEqual({ "grpc-status": "0" });
  });
});
