// Messages that nobody meant to send, made from the descriptors
//
// Each field gets, by chance: nothing, something that fits, something at or beyond a limit, or something that was never
// meant for it. Texts are mostly strange ones, and sometimes the ids of things that exist: refusing nonsense at the door
// is easy, so some of it must get further in.

import type { DescField, DescMessage, JsonObject } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";
import { KnownTexts } from "./known-texts.ts";

/** What `create` takes for a message, whatever its type. */
export type MessageInit = Readonly<Record<string, unknown>>;

const DEPTH_MAX = 3;

/** Arbitrary messages of a type. */
export function arbitraryMessage(schema: DescMessage, known: KnownTexts, depth = 0): fc.Arbitrary<MessageInit> {
  if (schema.typeName === "google.protobuf.Struct") return arbitraryStruct();
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of schema.fields) {
    if (field.oneof !== undefined || (depth >= DEPTH_MAX && field.message !== undefined)) continue;
    members[field.localName] = arbitraryField(field, known, depth);
  }
  return fc.record(members, { requiredKeys: [] });
}

function arbitraryField(field: DescField, known: KnownTexts, depth: number): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case "scalar":
      return arbitraryScalar(field.scalar, known);
    case "enum":
      return arbitraryEnum();
    case "message":
      return arbitraryMessage(field.message, known, depth + 1);
    case "map":
      return fc.dictionary(arbitraryText(known), arbitraryText(known), { maxKeys: 4 });
    case "list":
      return arbitraryList(field, known, depth);
    default:
      throw new Error(`${String(field)} is of an unknown kind.`);
  }
}

function arbitraryList(field: DescField & { fieldKind: "list" }, known: KnownTexts, depth: number) {
  const item =
    field.listKind === "message"
      ? arbitraryMessage(field.message, known, depth + 1)
      : field.listKind === "enum"
        ? arbitraryEnum()
        : arbitraryScalar(field.scalar, known);
  const many = item.map((one) => Array.from({ length: 120 }, () => one));
  return fc.oneof({ weight: 29, arbitrary: fc.array(item, { maxLength: 4 }) }, { weight: 1, arbitrary: many });
}

function arbitraryEnum(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 7, 99, 2 ** 31 - 1, -(2 ** 31)) },
  );
}

function arbitraryScalar(type: ScalarType, known: KnownTexts): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return arbitraryText(known);
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 64 });
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, 1n, 2n ** 63n - 1n));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 1n, 2n ** 53n));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.oneof(fc.nat(20), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.oneof(fc.float(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0));
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.oneof(fc.integer({ min: -3, max: 20 }), fc.constantFrom(1_000, 1_001, -1, 2 ** 31 - 1, -(2 ** 31)));
    default:
      throw new Error(`There is a kind of scalar ${String(type)} that is unknown here.`);
  }
}

const STRANGE = [
  "",
  " ",
  "\0",
  "a\0b",
  "\uD800",
  "\uDC00x",
  "\u202E\uFEFF",
  "é".normalize("NFD"),
  "👩‍👩‍👧‍👦",
  "'; drop table tasks; --",
  "%' or 1=1 --",
  "\\",
  "../../../etc/passwd",
  "/work/..",
  "$1",
  "${7*7}",
  "<script>alert(1)</script>",
  "__proto__",
  "constructor",
  "null",
  "NaN",
  '"1"',
  '"2147483648"',
  '"999999999"',
  'W/"1"',
  "WyJhIl0",
  "a".repeat(64),
  "a".repeat(65),
  "x".repeat(256),
  "ä".repeat(5_000),
  "y".repeat(70_000),
  "\n".repeat(300),
  "00000000-0000-0000-0000-000000000000",
  "tsk_" + "0".repeat(32),
  "status = active AND",
  "name:*",
  'name = "' + "(".repeat(900),
  "created_at desc, created_at",
] as const;

/** Arbitrary texts: what means something to the service, and what means something to a database, a shell or a page. */
export function arbitraryText(known: KnownTexts): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.nat().map((number) => known.pick(number)) },
    { weight: 3, arbitrary: fc.constantFrom(...STRANGE) },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 300 }) },
    { weight: 1, arbitrary: fc.uuid() },
  );
}

function arbitraryStruct(): fc.Arbitrary<JsonObject> {
  const { object } = fc.letrec<{ object: JsonObject; value: JsonObject[string] }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6, depthSize: "small" },
      fc.constantFrom(null, true, 0, -1, 1e308, ""),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      arbitraryText(new KnownTexts(["a"])),
      tie("object"),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
    object: fc.dictionary(arbitraryText(new KnownTexts(["a", "__proto__", "toJSON"])), tie("value"), { maxKeys: 4 }),
  }));
  return object;
}
