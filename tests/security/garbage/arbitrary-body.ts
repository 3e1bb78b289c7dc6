import { create, type DescMessage, toBinary, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { arbitraryMessage } from "./arbitrary-message.ts";
import type { KnownTexts } from "./known-texts.ts";

/** What is sent as one request. */
export interface Body {
  readonly encoding: "proto" | "json";
  readonly bytes: Uint8Array;
}

/** Arbitrary requests of a method: messages that can be read, and bytes that cannot. */
export function arbitraryBody(schema: DescMessage, known: KnownTexts): fc.Arbitrary<Body> {
  const json = arbitraryJson(schema, known).map((bytes): Body => ({ encoding: "json", bytes }));
  const binary = arbitraryBinary(schema, known).map((bytes): Body => ({ encoding: "proto", bytes }));
  return fc.oneof({ weight: 8, arbitrary: binary }, { weight: 7, arbitrary: json });
}

/** Arbitrary bytes where the JSON of a message is expected. */
export function arbitraryJson(schema: DescMessage, known: KnownTexts): fc.Arbitrary<Uint8Array> {
  const text = arbitraryMessage(schema, known).map((init) => {
    try {
      return toJsonString(schema, create(schema, init));
    } catch {
      // Not everything that can be sent as binary can be written as JSON.
      return "{";
    }
  });
  const misspelt = fc.tuple(text, fc.nat(), fc.nat(126)).map(([made, place, to]) => misspell(made, place, to));
  return fc.oneof(
    { weight: 3, arbitrary: text.map(encode) },
    { weight: 1, arbitrary: misspelt.map(encode) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }).map(encode) },
    { weight: 1, arbitrary: arbitraryMembers(schema).map(encode) },
  );
}

function arbitraryBinary(schema: DescMessage, known: KnownTexts): fc.Arbitrary<Uint8Array> {
  const binary = arbitraryMessage(schema, known).map((init) => toBinary(schema, create(schema, init)));
  const spoilt = fc.tuple(binary, fc.nat(), fc.nat(255)).map(([bytes, place, to]) => spoil(bytes, place, to));
  return fc.oneof(
    { weight: 6, arbitrary: binary },
    { weight: 1, arbitrary: spoilt },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

/** The right names with the wrong values. */
function arbitraryMembers({ fields }: DescMessage): fc.Arbitrary<string> {
  const members = Object.fromEntries(fields.map(({ jsonName }) => [jsonName, fc.jsonValue({ maxDepth: 2 })]));
  return fc.record(members, { requiredKeys: [] }).map((made) => JSON.stringify(made));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** One byte changed, or the end cut off. */
function spoil(bytes: Uint8Array, place: number, to: number): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(to);
  if (place % 3 === 0) return bytes.slice(0, place % bytes.length);
  return bytes.map((byte, index) => (index === place % bytes.length ? to : byte));
}

function misspell(text: string, place: number, to: number): string {
  const at = place % text.length;
  return text.slice(0, at) + String.fromCharCode(to) + text.slice(at + 1);
}
