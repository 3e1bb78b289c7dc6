import {
  create,
  createRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  toJson,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { anyPack, timestampFromDate } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BookSchema, GetShelfResponseSchema, Genre, ShelfSchema } from "../test/gen/bookstore/v1/bookstore_pb.ts";
import { JsonReader } from "./json-reader.ts";
import { createJsonWriter, type JsonDialect } from "./json-writer.ts";
import { Violations } from "./violations.ts";

const registry = createRegistry(BookSchema, ShelfSchema);

function write(dialect: JsonDialect, shelf: MessageInitShape<typeof ShelfSchema>, emitDefaults = false): JsonValue {
  return createJsonWriter({ dialect, emitDefaults, registry })(ShelfSchema, create(ShelfSchema, shelf));
}

const shelf: MessageInitShape<typeof ShelfSchema> = {
  id: "s1",
  displayName: "Verse",
  genre: Genre.POETRY,
  serial: 9007199254740993n,
  allowedGenres: [Genre.POETRY, Genre.UNSPECIFIED],
  genreByRow: { top: Genre.SCIENCE_FICTION },
  builtAt: timestampFromDate(new Date(0)),
  mask: { paths: ["display_name", "loan_time"] },
  books: [{ title: "T", genre: Genre.POETRY, shelf: { genre: Genre.POETRY } }],
  access: { case: "publicGenre", value: Genre.POETRY },
};

describe("the plain dialect", () => {
  test("writes stored names and short enum values, however deep", () => {
    expect(write("plain", shelf)).toEqual({
      id: "s1",
      display_name: "Verse",
      genre: "poetry",
      serial: "9007199254740993",
      allowed_genres: ["poetry", "unspecified"],
      genre_by_row: { top: "science_fiction" },
      built_at: "1970-01-01T00:00:00Z",
      mask: "display_name,loan_time",
      books: [{ title: "T", genre: "poetry", shelf: { genre: "poetry" } }],
      public_genre: "poetry",
    });
  });

  test("defaults are written, but not an enum that is not set", () => {
    const json = write("plain", {}, true);
    expect(json).toMatchObject({ id: "", capacity: 0, serial: "0", books: [], labels: {} });
    expect(json).not.toHaveProperty("genre");
    expect(json).not.toHaveProperty("built_at");
  });

  test("an enum number without a name stays a number", () => {
    const unknown = fromBinary(ShelfSchema, Uint8Array.of(0x18, 77));
    expect(createJsonWriter({ dialect: "plain", emitDefaults: false })(ShelfSchema, unknown)).toEqual({ genre: 77 });
  });

  test("what stands inside an Any stays ProtoJSON", () => {
    const attachment = anyPack(BookSchema, create(BookSchema, { genre: Genre.POETRY }));
    expect(write("plain", { attachment })).toEqual({
      attachment: { "@type": "type.googleapis.com/bookstore.v1.Book", genre: "GENRE_POETRY" },
    });
  });
});

describe("the proto dialect", () => {
  test("is ProtoJSON", () => {
    expect(write("proto", shelf)).toEqual(toJson(ShelfSchema, create(ShelfSchema, shelf)));
  });
});

describe("one field of a message", () => {
  const writer = createJsonWriter({ dialect: "plain", emitDefaults: true });

  test("is written alone", () => {
    const message = create(GetShelfResponseSchema, { shelf: { id: "s1" } });
    expect(writer(GetShelfResponseSchema, message, GetShelfResponseSchema.field.shelf)).toMatchObject({ id: "s1" });
  });

  test("is null when it is not set, and an empty list when it has no items", () => {
    const message = create(GetShelfResponseSchema);
    expect(writer(GetShelfResponseSchema, message, GetShelfResponseSchema.field.shelf)).toBeNull();
    expect(writer(ShelfSchema, create(ShelfSchema), ShelfSchema.field.books)).toEqual([]);
  });
});

describe("what was written in either dialect", () => {
  const genre = fc.constantFrom("GENRE_UNSPECIFIED", "GENRE_SCIENCE_FICTION", "GENRE_POETRY");
  const text = fc.string({ unit: "grapheme" });
  const anyShelf: fc.Arbitrary<JsonValue> = fc
    .record(
      {
        id: text,
        displayName: text,
        genre,
        capacity: fc.integer(),
        serial: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
        total: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
        allowedGenres: fc.array(genre),
        genreByRow: fc.dictionary(text, genre),
        labels: fc.dictionary(fc.integer().map(String), text),
        builtAt: fc
          .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
          .map((date) => date.toISOString()),
        extra: fc.dictionary(text, fc.jsonValue()),
        note: fc.jsonValue(),
        locked: fc.boolean(),
        books: fc.array(fc.record({ title: text, genre })),
        nickname: text,
        photo: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
        weight: fc.double().map((value) => (Number.isFinite(value) ? value : String(value))),
        mask: fc.constantFrom("", "displayName", "books.title,loanTime"),
      },
      { requiredKeys: [] },
    )
    .map((fields) => JSON.parse(JSON.stringify(fields)));

  test.each<JsonDialect>(["plain", "proto"])("reads back as it was (%s)", (dialect) => {
    const writer = createJsonWriter({ dialect, emitDefaults: true, registry });
    fc.assert(
      fc.property(anyShelf, (json) => {
        const message = fromJson(ShelfSchema, json);
        const violations = new Violations();
        const again = reflect(ShelfSchema);
        new JsonReader(violations, registry).readInto(again, writer(ShelfSchema, message), "");
        violations.throwIfAny();
        expect(again.message).toEqual(message);
      }),
    );
  });
});
