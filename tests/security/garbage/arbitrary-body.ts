import { create, type DescMessage, toBinary, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { arbitraryMessage, type KnownTexts } from "./arbitrary-message.ts";

/** What is sent as one request. */
export interface Body {
  readonly encoding: "proto" | "json";
  readonly bytes: Uint8Array;
}

/** Arbitrary requests of a method: messages that can be read, and bytes that cannot. */
export function arbitraryBody(schema: DescMessage, known: KnownTexts): fc.Arbitrary<Body> {
  const message = arbitraryMessage(schema, known).map((init) => create(schema, init));
  const binary = message.map((made) => toBinary(schema, made));
  // Not everything that can be sent as binary can be written as JSON.
  const text = message.map((made) => {
    try {
      return toJsonString(schema, made);
    } catch {
      return "{";
    }
  });
  return fc.oneof(
    { weight: 6, arbitrary: binary.map(proto) },
    { weight: 3, arbitrary: text.map(json) },
    {
      weight: 1,
      arbitrary: fc.tuple(binary, fc.nat(), fc.nat(255)).map(([bytes, place, to]) => proto(spoil(bytes, place, to))),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(text, fc.nat(), fc.nat(126)).map(([made, place, to]) => json(misspell(made, place, to))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map(proto) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes): Body => ({ encoding: "json", bytes })) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }).map(json) },
    { weight: 1, arbitrary: arbitraryMembers(schema).map(json) },
  );
}

/** The right names with the wrong values. */
function arbitraryMembers({ fields }: DescMessage): fc.Arbitrary<string> {
  const members = Object.fromEntries(fields.map(({ jsonName }) => [jsonName, fc.jsonValue({ maxDepth: 2 })]));
  return fc.record(members, { requiredKeys: [] }).map((made) => JSON.stringify(made));
}

function proto(bytes: Uint8Array): Body {
  return { encoding: "proto", bytes };
}

function json(text: string): Body {
  return { encoding: "json", bytes: new TextEncoder().encode(text) };
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
