import { describe, expect, test } from "vitest";
import { type AnnotatedMethod, annotatedService } from "../test/annotated-service.ts";
import { BookstoreService } from "../test/gen/bookstore/v1/bookstore_pb.ts";
import { BindingError, bindingsOf } from "./binding.ts";

describe("bindingsOf", () => {
  const bindings = bindingsOf(BookstoreService);

  test("gives each annotated method its routes, with additional ones, and none to the others", () => {
    const routes = bindings.map(
      ({ method, httpMethod, template }) => `${method.name} ${httpMethod} ${template.source}`,
    );
    expect(routes).toContain("GetBook GET /v1/{name=shelves/*/books/*}");
    expect(routes).toContain("GetBook GET /v1/books/{name}");
    expect(routes).toContain("PurgeShelf PURGE /v1/shelves/{id}");
    expect(bindings.some(({ method }) => method.name === "Internal")).toBe(false);
  });

  test("resolves path variables, body and response_body to fields", () => {
    const update = bindings.find(({ method }) => method.name === "UpdateBook");
    expect(update?.pathVariables[0]?.fields.map(({ name }) => name)).toEqual(["book", "name"]);
    expect(update?.body).toMatchObject({ kind: "field", field: { name: "book" } });
    expect(bindings.find(({ method }) => method.name === "GetShelf")?.responseBody?.name).toBe("shelf");
  });

  const refused: [rule: AnnotatedMethod["rule"], problem: string][] = [
    [{ selector: "x", pattern: { case: "get", value: "/v1" } }, "an annotation has no selector"],
    [{ additionalBindings: [{}] }, "the annotation has no path"],
    [{ pattern: { case: "get", value: "/v1/{" } }, "column 6: expected a field name"],
    [{ pattern: { case: "get", value: "/v1/{nope}" } }, 'path variable "nope" is not known'],
    [{ pattern: { case: "get", value: "/v1/{filter}" } }, 'path variable "filter" is not a singular scalar'],
    [{ pattern: { case: "get", value: "/v1/{labels}" } }, 'path variable "labels" is not a singular scalar'],
    [{ pattern: { case: "get", value: "/v1/{annotations}" } }, "is not a singular scalar"],
    [{ pattern: { case: "get", value: "/v1/{page_size.x}" } }, 'has no field "x" inside'],
    [{ pattern: { case: "get", value: "/v1" }, body: "*" }, "GET has no body"],
    [{ pattern: { case: "delete", value: "/v1" }, body: "filter" }, "DELETE has no body"],
    [{ pattern: { case: "post", value: "/v1" }, body: "nope" }, 'ListShelvesRequest has no field "nope"'],
    [{ pattern: { case: "get", value: "/v1" }, responseBody: "nope" }, 'ListShelvesResponse has no field "nope"'],
    [
      {
        pattern: { case: "get", value: "/v1" },
        additionalBindings: [{ pattern: { case: "get", value: "/v2" }, additionalBindings: [{}] }],
      },
      "additional_bindings cannot be nested",
    ],
  ];

  test.each(refused)("refuses %j", (rule, problem) => {
    const bind = (): unknown => bindingsOf(annotatedService({ rule }));
    expect(bind).toThrow(BindingError);
    expect(bind).toThrow("bookstore.v1.TestService.Try: ");
    expect(bind).toThrow(problem);
  });
});
