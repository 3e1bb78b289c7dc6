import { create, toJson } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { annotatedService } from "../test/annotated-service.ts";
import { ListShelvesRequestSchema } from "../test/gen/bookstore/v1/bookstore_pb.ts";
import { type Binding, bindingsOf } from "./binding.ts";
import { decodeRequest } from "./decode-request.ts";
import { type PathTemplate, parsePathTemplate } from "./path-template.ts";
import { RouteTrie } from "./route-trie.ts";

const literal = fc.stringMatching(/^[A-Za-z0-9_.~-]{1,8}$/);
const value = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((text) => text.isWellFormed());
const shape = fc.array(fc.oneof(literal, fc.constant("*")), { minLength: 1, maxLength: 6 });

/** Fills the wildcards of a template, in order. */
function expand(template: PathTemplate, values: readonly string[]): string {
  let next = 0;
  const segments = template.segments.map((segment) =>
    encodeURIComponent(segment.kind === "literal" ? segment.text : (values[next++] ?? "")).replaceAll("%3A", ":"),
  );
  return `/${segments.join("/")}${template.verb === undefined ? "" : `:${template.verb}`}`;
}

describe("a path made from a template", () => {
  test("finds its way back, whatever stands in it", () => {
    fc.assert(
      fc.property(shape, fc.option(literal), fc.array(value, { minLength: 6, maxLength: 6 }), (parts, verb, values) => {
        const source = `/${parts.join("/")}${verb === null ? "" : `:${verb}`}`;
        const template = parsePathTemplate(source);
        const trie = new RouteTrie<{ httpMethod: string; template: PathTemplate }>();
        trie.add({ httpMethod: "GET", template });
        const path = expand(template, values);
        // A colon at the very end separates a verb that is missing.
        fc.pre(!path.endsWith(":"));
        expect(trie.find("GET", path)).toMatchObject({ kind: "found", route: { template } });
      }),
    );
  });
});

describe("a variable", () => {
  const bindings: Binding[] = bindingsOf(
    annotatedService({ rule: { pattern: { case: "get", value: "/v1/{page_token}/x/{ascending_by=a/*/b}" } } }),
  );

  test("gets exactly the text that was escaped into its segment", () => {
    fc.assert(
      fc.property(value, value, (pageToken, name) => {
        const [binding] = bindings;
        if (binding === undefined) throw new Error("no binding");
        const segments = ["v1", encodeURIComponent(pageToken), "x", "a", encodeURIComponent(name), "b"];
        const message = decodeRequest(binding, { segments, rawQuery: "", body: undefined });
        const ascendingBy = `a/${name.replaceAll("/", "%2F")}/b`;
        const expected = create(ListShelvesRequestSchema, {
          pageToken,
          order: { case: "ascendingBy", value: ascendingBy },
        });
        expect(toJson(binding.method.input, message)).toEqual(toJson(ListShelvesRequestSchema, expected));
      }),
    );
  });
});
