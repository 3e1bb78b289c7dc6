import { describe, expect, test } from "vitest";
import { parsePathTemplate } from "./path-template.ts";

describe("parsePathTemplate", () => {
  test("reads literals, wildcards and a verb", () => {
    expect(parsePathTemplate("/v1/*/books/**:lend")).toEqual({
      source: "/v1/*/books/**:lend",
      segments: [
        { kind: "literal", text: "v1" },
        { kind: "one" },
        { kind: "literal", text: "books" },
        { kind: "rest" },
      ],
      variables: [],
      verb: "lend",
    });
  });

  test("a bare variable captures one segment", () => {
    expect(parsePathTemplate("/v1/{id}").variables).toEqual([
      { fieldPath: ["id"], start: 1, end: 2, multiSegment: false },
    ]);
  });

  test("a variable may capture several segments, to the end of the path too", () => {
    const template = parsePathTemplate("/v1/{book.name=shelves/*/books/*}/pages/{page=**}");
    expect(template.variables).toEqual([
      { fieldPath: ["book", "name"], start: 1, end: 5, multiSegment: true },
      { fieldPath: ["page"], start: 6, end: undefined, multiSegment: true },
    ]);
  });

  test("escapes in literals are kept decoded", () => {
    expect(parsePathTemplate("/%74asks/a%2Fb").segments).toEqual([
      { kind: "literal", text: "tasks" },
      { kind: "literal", text: "a/b" },
    ]);
  });

  test.each([
    ["", 1, 'expected "/", found the end'],
    ["v1", 1, 'expected "/", found "v"'],
    ["/", 2, "expected a segment, found the end"],
    ["/v1/", 5, "expected a segment, found the end"],
    ["/v1//a", 5, 'expected a segment, found "/"'],
    ["/v1/{id", 8, 'expected "}", found the end'],
    ["/v1/{}", 6, 'expected a field name, found "}"'],
    ["/v1/{1a}", 6, 'expected a field name, found "1"'],
    ["/v1/{a.}", 8, 'expected a field name, found "}"'],
    ["/v1/{a=}", 8, 'expected a segment, found "}"'],
    ["/v1/{a={b}}", 8, "variables cannot be nested"],
    ["/v1/{a=**}/b", 12, '"**" must be the last part of the path'],
    ["/v1/**/b", 8, '"**" must be the last part of the path'],
    ["/v1/***", 7, 'unexpected "*"'],
    ["/v1/a*", 6, 'unexpected "*"'],
    ["/v1/{a}b", 8, 'unexpected "b"'],
    ["/v1/{a}/{a}", 9, 'variable "a" is used twice'],
    ["/v1/a:", 7, "expected a verb, found the end"],
    ["/v1/a:b:c", 8, 'unexpected ":"'],
    ["/v1/a:b/c", 8, 'unexpected "/"'],
    ["/v1/%zz", 5, 'expected a segment, found "%"'],
    ["/v1/%ff", 5, "percent escapes are not UTF-8"],
    ["/v1/a b", 6, 'unexpected " "'],
    ["/v1/a?b", 6, 'unexpected "?"'],
  ])("refuses %j and names the column", (source, column, problem) => {
    expect(() => parsePathTemplate(source)).toThrow(
      expect.objectContaining({ name: "PathTemplateError", column, message: expect.stringContaining(problem) }),
    );
  });
});
