import { describe, expect, test } from "vitest";
import { parsePathTemplate } from "./path-template.ts";
import { RouteConflictError, RouteTrie, type Route } from "./route-trie.ts";

function trieOf(...routes: string[]): RouteTrie<Route> {
  const trie = new RouteTrie<Route>();
  for (const route of routes) trie.add(routeOf(route));
  return trie;
}

function routeOf(text: string): Route {
  const [httpMethod = "", source = ""] = text.split(" ");
  return { httpMethod, template: parsePathTemplate(source) };
}

function answer(trie: RouteTrie<Route>, request: string): string {
  const [method = "", path = ""] = request.split(" ");
  const found = trie.find(method, path);
  if (found.kind === "found") return found.route.template.source;
  return found.kind === "wrong-method" ? `405 ${found.allowed.join(",")}` : "404";
}

describe("RouteTrie", () => {
  const trie = trieOf(
    "GET /v1/books",
    "GET /v1/books/{id}",
    "DELETE /v1/books/{id}",
    "POST /v1/books/search",
    "GET /v1/books/{id}/pages",
    "GET /v1/books/best/{year}",
    "GET /v1/books:watch",
    "POST /v1/books/{id}:lend",
    "GET /v1/{name=shelves/*/books/*}",
    "GET /v1/files/{path=**}",
    "POST /v1/files/{path=**}:touch",
    "GET /v1/files/a/known",
    "* /v1/any/{id}",
    "GET /v1/any/{id}",
    "GET /v1/a%2Fb",
  );

  test.each([
    ["GET /v1/books", "/v1/books"],
    ["GET /v1/%62ooks", "/v1/books"],
    ["GET /v1/books/b1", "/v1/books/{id}"],
    ["GET /v1/books/a%2Fb", "/v1/books/{id}"],
    ["GET /v1/books/search", "/v1/books/{id}"],
    ["POST /v1/books/search", "/v1/books/search"],
    ["GET /v1/books/best/1999", "/v1/books/best/{year}"],
    ["GET /v1/books/best/pages", "/v1/books/best/{year}"],
    ["GET /v1/books/best", "/v1/books/{id}"],
    ["GET /v1/books/other/pages", "/v1/books/{id}/pages"],
    ["GET /v1/shelves/s1/books/b1", "/v1/{name=shelves/*/books/*}"],
    ["GET /v1/files/a/b/c.txt", "/v1/files/{path=**}"],
    ["GET /v1/files", "/v1/files/{path=**}"],
    ["GET /v1/files/a/known", "/v1/files/a/known"],
    ["GET /v1/files/a/unknown", "/v1/files/{path=**}"],
    ["POST /v1/files/a/b:touch", "/v1/files/{path=**}:touch"],
    ["GET /v1/books:watch", "/v1/books:watch"],
    ["GET /v1/books:%77atch", "/v1/books:watch"],
    ["POST /v1/books/b1:lend", "/v1/books/{id}:lend"],
    ["POST /v1/books/a:b:lend", "/v1/books/{id}:lend"],
    ["GET /v1/books/a:b", "/v1/books/{id}"],
    ["GET /v1/any/x", "/v1/any/{id}"],
    ["PUT /v1/any/x", "* /v1/any/{id}".slice(2)],
    ["GET /v1/a%2fb", "/v1/a%2Fb"],
  ])("%s is answered by %s", (request, expected) => {
    expect(answer(trie, request)).toBe(expected);
  });

  test.each([
    ["GET /", "404"],
    ["GET /v1", "404"],
    ["GET /v1/books/", "404"],
    ["GET /v1//books", "404"],
    ["GET /v1/books/b1/", "404"],
    ["GET /v1/books/b1:", "404"],
    ["GET /v1/files/a//b", "404"],
    ["GET /v1/files/", "404"],
    ["GET /v1/a/b", "404"],
    ["GET /v1/books/../books", "404"],
    ["GET v1/books", "404"],
    ["GET *", "404"],
    ["GET ", "404"],
    ["DELETE /v1/books", "405 GET"],
    ["PUT /v1/books/search", "405 POST,GET,DELETE"],
    ["GET /v1/books/b1:lend", "405 POST"],
    ["get /v1/books", "405 GET"],
  ])("%s is refused with %s", (request, expected) => {
    expect(answer(trie, request)).toBe(expected);
  });

  test("a verb that no fitting template has belongs to the segment", () => {
    expect(answer(trieOf("GET /v1/{id}", "POST /v2/{id}:cancel"), "GET /v1/x:cancel")).toBe("/v1/{id}");
  });

  test.each([
    ["GET /v1/{id}", "GET /v1/{name}"],
    ["GET /v1/{id}", "GET /v1/*"],
    ["GET /v1/{a=x/*}", "GET /v1/x/{b}"],
    ["GET /v1/%61", "GET /v1/a"],
    ["POST /v1/{id}:x", "POST /v1/{name}:x"],
  ])("%s and %s are a conflict", (first, second) => {
    expect(() => trieOf(first, second)).toThrow(RouteConflictError);
  });

  test("the same path under another method or verb is no conflict", () => {
    expect(() => trieOf("GET /v1/{id}", "PUT /v1/{name}", "GET /v1/{id}:x", "GET /v1/x")).not.toThrow();
  });
});
