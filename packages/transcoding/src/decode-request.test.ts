import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { BookstoreService } from "../test/gen/bookstore/v1/bookstore_pb.ts";
import { bindingsOf } from "./binding.ts";
import { decodeRequest } from "./decode-request.ts";
import { RestError } from "./rest-error.ts";
import { RouteTrie } from "./route-trie.ts";

const routes = new RouteTrie<ReturnType<typeof bindingsOf>[number]>();
for (const binding of bindingsOf(BookstoreService)) routes.add(binding);

/** Decodes `GET /v1/shelves?page_size=1` and shows the request message as ProtoJSON. */
function decode(line: string, body?: JsonValue): JsonValue {
  const [httpMethod = "", target = ""] = line.split(" ");
  const [path = "", rawQuery = ""] = target.split("?");
  const found = routes.find(httpMethod, path);
  if (found.kind !== "found") throw new Error(`no route for ${line}`);
  const message = decodeRequest(found.route, { segments: found.segments, rawQuery, body });
  return toJson(found.route.method.input, message);
}

/** The violations of a request as lines of text. */
function violationsOf(line: string, body?: JsonValue): string[] {
  try {
    decode(line, body);
  } catch (error) {
    if (error instanceof RestError) {
      return (error.details.violations ?? []).map(({ field, description }) => `${field}: ${description}`);
    }
    throw error;
  }
  return [];
}

function create(shelf: JsonValue): JsonValue {
  return decode("POST /v1/shelves", shelf);
}

function wrong(shelf: JsonValue): string[] {
  return violationsOf("POST /v1/shelves", shelf);
}

describe("path variables", () => {
  test.each([
    ["GET /v1/shelves/s1", { id: "s1" }],
    ["GET /v1/shelves/a%2Fb", { id: "a/b" }],
    ["GET /v1/shelves/a%252Fb", { id: "a%2Fb" }],
    ["GET /v1/shelves/a+b", { id: "a+b" }],
    ["GET /v1/shelves/a:b", { id: "a:b" }],
    ["GET /v1/shelves/%E2%82%AC", { id: "€" }],
    ["GET /v1/shelves/s1/books/b1", { name: "shelves/s1/books/b1" }],
    ["GET /v1/shelves/a%2fb/books/c%20d", { name: "shelves/a%2Fb/books/c d" }],
    ["GET /v1/files/a/b%2Fc/d", { path: "a/b%2Fc/d" }],
    ["GET /v1/files", {}],
    ["PURGE /v1/shelves/s1", { id: "s1" }],
  ])("%s", (line, expected) => {
    expect(decode(line)).toEqual(expected);
  });

  test.each([
    ["GET /v1/shelves/%zz", "id: has a malformed percent escape"],
    ["GET /v1/shelves/%ff", "id: has a malformed percent escape"],
    ["GET /v1/files/a/%c3", "path: has a malformed percent escape"],
  ])("%s is refused", (line, expected) => {
    expect(violationsOf(line)).toEqual([expected]);
  });
});

describe("query parameters", () => {
  test.each([
    ["", {}],
    ["page_size=10", { pageSize: 10 }],
    ["pageSize=10", { pageSize: 10 }],
    ["page_token=a+b%2Bc%3D", { pageToken: "a b+c=" }],
    ["page_token=", {}],
    ["page_token", {}],
    ["&&page_size=1&", { pageSize: 1 }],
    ["page%5Fsize=1", { pageSize: 1 }],
    [
      "genres=poetry&genres=GENRE_SCIENCE_FICTION&genres=2",
      { genres: ["GENRE_POETRY", "GENRE_SCIENCE_FICTION", "GENRE_POETRY"] },
    ],
    ["labels=a&labels=a", { labels: ["a", "a"] }],
    ["locked=false", { locked: false }],
    ["min_serial=9007199254740993", { minSerial: "9007199254740993" }],
    ["min_serial=-9223372036854775808", { minSerial: "-9223372036854775808" }],
    ["filter.built_after=2030-01-02T03:04:05.5Z", { filter: { builtAfter: "2030-01-02T03:04:05.500Z" } }],
    ["filter.loanTime=90.5s", { filter: { loanTime: "90.500s" } }],
    ["filter.min_capacity=0&filter.locked=true", { filter: { minCapacity: 0, locked: true } }],
    ["filter.weight=NaN", { filter: { weight: "NaN" } }],
    ["filter.weight=-1.5e3", { filter: { weight: -1500 } }],
    ["filter.photo_hash=-_8", { filter: { photoHash: "+/8=" } }],
    ["filter.photo_hash=%2B/8%3D", { filter: { photoHash: "+/8=" } }],
    ["filter.total=18446744073709551615", { filter: { total: "18446744073709551615" } }],
    ["filter.genre=poetry", { filter: { genre: "GENRE_POETRY" } }],
    ["filter.not.not.genre=poetry", { filter: { not: { not: { genre: "GENRE_POETRY" } } } }],
    ["read_mask=display_name,books.title", { readMask: "displayName,books.title" }],
    ["read_mask=displayName", { readMask: "displayName" }],
    ["ascending_by=id", { ascendingBy: "id" }],
  ])("%s", (query, expected) => {
    expect(decode(`GET /v1/shelves?${query}`)).toEqual(expected);
  });

  test.each([
    ["nope=1", "nope: is not a known query parameter"],
    ["__proto__=1", "__proto__: is not a known query parameter"],
    ["filter.__proto__.x=1", 'filter.__proto__.x: has no field "__proto__" inside'],
    ["filter=1", "filter: cannot be given as a query parameter: it is a message or a map"],
    ["filter.nope=1", 'filter.nope: has no field "nope" inside'],
    ["page_size.x=1", 'page_size.x: has no field "x" inside: it is not a message'],
    ["annotations=1", "annotations: cannot be given as a query parameter: it is a message or a map"],
    ["examples=1", "examples: cannot be given as a query parameter: it is a message or a map"],
    ["page_size=1&page_size=2", "page_size: is given more than once"],
    ["page_size=1&pageSize=2", "pageSize: is given more than once"],
    ["page_size=", 'page_size: must be an integer from -2147483648 to 2147483647, got ""'],
    ["page_size=1.5", 'page_size: must be an integer from -2147483648 to 2147483647, got "1.5"'],
    ["page_size=2147483648", 'page_size: must be an integer from -2147483648 to 2147483647, got "2147483648"'],
    ["page_size=0x10", 'page_size: must be an integer from -2147483648 to 2147483647, got "0x10"'],
    ["locked=1", 'locked: must be true or false, got "1"'],
    ["locked=TRUE", 'locked: must be true or false, got "TRUE"'],
    ["filter.locked=yes", 'filter.locked: must be true or false, got "yes"'],
    ["genres=prose", 'genres: must be one of science_fiction, poetry; got "prose"'],
    ["genres=7", "genres: must be one of science_fiction, poetry; got 7"],
    [
      "filter.built_after=today",
      'filter.built_after: must be an RFC 3339 time like "2030-01-31T12:00:00Z", got "today"',
    ],
    ["filter.loan_time=1h", 'filter.loan_time: must be seconds with the suffix "s", like "1.5s", got "1h"'],
    ["filter.weight=heavy", 'filter.weight: must be a number, got "heavy"'],
    ["filter.photo_hash=*", 'filter.photo_hash: must be a base64 string, got "*"'],
    ["ascending_by=a&descending_by=b", 'descending_by: cannot be given together with "ascending_by"'],
    ["page_token=%zz", "page_token: has a malformed percent escape"],
    ["%zz=1", "%zz: has a malformed percent escape"],
    [`${"filter.".repeat(40)}x=1`, `${"filter.".repeat(40)}x: is nested more than 32 levels deep`],
    ["=1", ": is not a known query parameter"],
  ])("%s is refused", (query, expected) => {
    expect(violationsOf(`GET /v1/shelves?${query}`)).toEqual([expected]);
  });

  test("everything that is wrong is told at once", () => {
    expect(violationsOf("GET /v1/shelves?nope=1&page_size=x&locked=2")).toHaveLength(3);
  });

  test("a path variable and the body's field cannot be given again", () => {
    expect(violationsOf("DELETE /v1/shelves/s1?id=s2")).toEqual(["id: is given in the path"]);
    expect(violationsOf("POST /v1/shelves?shelf.id=s2", {})).toEqual(["shelf.id: is given in the body"]);
    expect(violationsOf("POST /v1/shelves/s/books/b:lend?borrower=x", {})).toEqual([
      "borrower: is not known: all fields of this request come from the body and the path",
    ]);
  });

  test("parameters stand beside a path and beside a body field", () => {
    expect(decode("DELETE /v1/shelves/s1?force=true")).toEqual({ id: "s1", force: true });
    expect(decode("POST /v1/shelves?validate_only=true", { id: "s1" })).toEqual({
      shelf: { id: "s1" },
      validateOnly: true,
    });
  });

  test("too many parameters are refused before any is read", () => {
    expect(violationsOf(`GET /v1/shelves?${"labels=a&".repeat(501)}`)).toEqual([": more than 500 query parameters"]);
  });
});

describe("bodies", () => {
  test("a whole-request body takes all fields, and the path has the last word", () => {
    const body = { name: "somewhere else", borrower: "Ada", loan_time: "60s" };
    expect(decode("POST /v1/shelves/s/books/b:lend", body)).toEqual({
      name: "shelves/s/books/b",
      borrower: "Ada",
      loanTime: "60s",
    });
  });

  test("a field body takes that field, and the path may reach into it", () => {
    expect(decode("PATCH /v1/shelves/s/books/b?update_mask=title", { title: "T", name: "x" })).toEqual({
      book: { name: "shelves/s/books/b", title: "T" },
      updateMask: "title",
    });
  });

  test("a repeated field takes an array", () => {
    expect(decode("PUT /v1/books/b/tags", ["a", "b"])).toEqual({ name: "b", tags: ["a", "b"] });
    expect(violationsOf("PUT /v1/books/b/tags", { a: 1 })).toEqual(["tags: must be a JSON array, got an object"]);
    expect(violationsOf("PUT /v1/books/b/tags", ["a", null])).toEqual(["tags[1]: must be a string, got null"]);
  });

  test("no body is an empty request", () => {
    expect(decode("POST /v1/shelves")).toEqual({});
    expect(decode("POST /v1/shelves/s/books/b:lend")).toEqual({ name: "shelves/s/books/b" });
  });

  test("a body where none belongs is refused", () => {
    expect(violationsOf("GET /v1/shelves", {})).toEqual([": this request has no body"]);
  });
});

describe("JSON", () => {
  test.each([
    [
      { display_name: "x", genre: "poetry" },
      { displayName: "x", genre: "GENRE_POETRY" },
    ],
    [
      { displayName: "x", genre: "GENRE_POETRY" },
      { displayName: "x", genre: "GENRE_POETRY" },
    ],
    [{ genre: 1 }, { genre: "GENRE_SCIENCE_FICTION" }],
    [{ genre: "unspecified" }, {}],
    [
      { capacity: "12", serial: 5, total: "1e3" },
      { capacity: 12, serial: "5", total: "1000" },
    ],
    [{ capacity: 1e3 }, { capacity: 1000 }],
    [{ display_name: null, books: null, extra: null, labels: null }, {}],
    [{ note: null }, { note: null }],
    [{ locked: false }, { locked: false }],
    [{ nickname: "" }, { nickname: "" }],
    [
      { allowed_genres: ["poetry"], genre_by_row: { a: "poetry" } },
      { allowedGenres: ["GENRE_POETRY"], genreByRow: { a: "GENRE_POETRY" } },
    ],
    [{ labels: { "-1": "x" } }, { labels: { "-1": "x" } }],
    [{ extra: { a: [1, null, { b: true }] } }, { extra: { a: [1, null, { b: true }] } }],
    [{ mask: "display_name,loanTime" }, { mask: "displayName,loanTime" }],
    [{ photo: "-_8" }, { photo: "+/8=" }],
    [{ weight: "Infinity" }, { weight: "Infinity" }],
    [{ public_genre: "poetry" }, { publicGenre: "GENRE_POETRY" }],
    [{ keyholder: null, public_genre: "poetry" }, { publicGenre: "GENRE_POETRY" }],
    [{ chained_to: { shelf: { id: "s" } } }, { chainedTo: { shelf: { id: "s" } } }],
  ])("%j is read", (shelf, expected) => {
    expect(create(shelf)).toEqual({ shelf: expected === undefined ? {} : expected });
  });

  test.each([
    [{ nope: 1 }, "shelf.nope: is not a field of Shelf"],
    [{ books: [{}, { titel: "x" }] }, "shelf.books[1].titel: is not a field of Book"],
    [JSON.parse('{"__proto__": {"id": 1}}'), "shelf.__proto__: is not a field of Shelf"],
    [{ genre: "prose" }, 'shelf.genre: must be one of science_fiction, poetry; got "prose"'],
    [{ genre: 9 }, "shelf.genre: must be one of science_fiction, poetry; got 9"],
    [{ allowed_genres: ["poetry", "x"] }, 'shelf.allowed_genres[1]: must be one of science_fiction, poetry; got "x"'],
    [{ genre_by_row: { a: true } }, 'shelf.genre_by_row["a"]: must be one of science_fiction, poetry; got true'],
    [{ id: 5 }, "shelf.id: must be a string, got 5"],
    [{ id: "\ud800" }, String.raw`shelf.id: must be a string, got "\ud800"`],
    [{ capacity: 1.5 }, "shelf.capacity: must be an integer from -2147483648 to 2147483647, got 1.5"],
    [{ rows: -1 }, "shelf.rows: must be an integer from 0 to 4294967295, got -1"],
    [
      { serial: 2 ** 53 },
      "shelf.serial: must be an integer from -9223372036854775808 to 9223372036854775807, got 9007199254740992",
    ],
    [{ price: 1e39 }, "shelf.price: must be a number, got 1e+39"],
    [{ locked: "true" }, 'shelf.locked: must be true or false, got "true"'],
    [{ extra: [] }, "shelf.extra: must be a JSON object, got an array"],
    [{ labels: { x: "y" } }, 'shelf.labels["x"]: the key must be an integer from -2147483648 to 2147483647'],
    [{ display_name: "a", displayName: "b" }, 'shelf.displayName: cannot be given together with "display_name"'],
    [{ keyholder: "a", public_genre: "poetry" }, 'shelf.public_genre: cannot be given together with "keyholder"'],
    [
      { attachment: { "@type": "type.googleapis.com/no.Such" } },
      'shelf.attachment: must be a JSON object with an "@type" that is known here, got an object',
    ],
    [{ nickname: 1 }, "shelf.nickname: must be a string, got 1"],
    [
      { id: "x".repeat(100), capacity: "y".repeat(100) },
      `shelf.capacity: must be an integer from -2147483648 to 2147483647, got "${"y".repeat(59)}…`,
    ],
    ["x", 'shelf: must be a JSON object, got "x"'],
  ])("%j is refused", (shelf, expected) => {
    expect(wrong(shelf)).toEqual([expected]);
  });

  test("nesting without end is refused", () => {
    let shelf: JsonValue = {};
    for (let depth = 0; depth < 60; depth++) shelf = { books: [{ shelf }] };
    expect(wrong(shelf)[0]).toMatch(/is nested more than 100 levels deep$/);
  });

  test("at most twenty things are told", () => {
    const shelf = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`nope${index}`, 1]));
    expect(wrong(shelf)).toHaveLength(20);
  });

  test("the names that an object inherits are not fields", () => {
    expect(wrong({ constructor: 1, toString: 1 })).toHaveLength(2);
    expect(create({ labels: {}, genre_by_row: JSON.parse('{"__proto__": "poetry"}') })).toEqual({
      shelf: { genreByRow: JSON.parse('{"__proto__": "GENRE_POETRY"}') },
    });
  });
});
