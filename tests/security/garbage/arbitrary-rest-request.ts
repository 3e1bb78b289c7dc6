// Requests to a REST path that nobody meant to send: what stands in the path and in the query is anything, also escapes
// that are none, and so is the body.

import type { Binding, PathTemplate } from "@helix-zed/transcoding";
import fc from "fast-check";
import { arbitraryJson } from "./arbitrary-body.ts";
import { arbitraryMessage, arbitraryText } from "./arbitrary-message.ts";
import type { KnownTexts } from "./known-texts.ts";

/** One request. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly accept: string;
  readonly body: Uint8Array | undefined;
}

// A server refuses headers of more than 16 KiB before anybody of us sees them.
const SEGMENT_CHARS_MAX = 1_500;
const QUERY_CHARS_MAX = 6_000;

const ACCEPTED = ["*/*", "application/json", "text/event-stream", "application/x-ndjson", "image/png", "\u00FF;q=?"];
const BAD_ESCAPES = [
  "%",
  "%zz",
  "%00",
  "%ff%fe",
  "%ed%a0%80",
  "%2F",
  "%2e%2e",
  "..",
  ".",
  "a;b=c",
  "a:b",
  "a%3Acancel",
];

/** Arbitrary requests to one REST path. */
export function arbitraryRestRequest(binding: Binding, known: KnownTexts): fc.Arbitrary<RestRequest> {
  const { method, httpMethod, template, body } = binding;
  const schema = body.kind === "field" ? (body.field.message ?? method.input) : method.input;
  const query = arbitraryQuery(binding, known);
  return fc.record({
    method: fc.constant(httpMethod),
    path: fc.tuple(arbitraryPath(template, known), query).map(([place, asked]) => place + asked),
    accept: fc.oneof(
      { weight: 9, arbitrary: fc.constant("*/*") },
      { weight: 1, arbitrary: fc.constantFrom(...ACCEPTED) },
    ),
    body: body.kind === "none" ? fc.constant(undefined) : arbitraryJson(schema, known),
  });
}

function arbitraryPath({ segments, verb }: PathTemplate, known: KnownTexts): fc.Arbitrary<string> {
  const filled = segments.map((segment) =>
    segment.kind === "literal" ? fc.constant(encodeURIComponent(segment.text)) : arbitrarySegment(known),
  );
  return fc.tuple(...filled).map((parts) => `/${parts.join("/")}${verb === undefined ? "" : `:${verb}`}`);
}

function arbitrarySegment(known: KnownTexts): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.nat().map((number) => escaped(known.pick(number))) },
    { weight: 3, arbitrary: arbitraryText(known).map((text) => escaped(text).slice(0, SEGMENT_CHARS_MAX)) },
    { weight: 1, arbitrary: fc.constantFrom(...BAD_ESCAPES) },
  );
}

/** Mostly the fields that are not in the body, with any value; at times others. */
function arbitraryQuery({ method, body }: Binding, known: KnownTexts): fc.Arbitrary<string> {
  const fields = arbitraryMessage(method.input, known).map((init) => pairsOf(init));
  const anything = fc.array(fc.tuple(arbitraryText(known), arbitraryText(known)), { maxLength: 3 });
  const broken = fc.constantFrom(...BAD_ESCAPES).map((text): [string, string][] => [[text, ""]]);
  const isInBody = body.kind === "all";
  return fc
    .oneof(
      { weight: isInBody ? 1 : 8, arbitrary: fields.map((pairs) => spelled(pairs)) },
      { weight: isInBody ? 20 : 1, arbitrary: fc.constant("") },
      { weight: 1, arbitrary: anything.map((pairs) => spelled(pairs)) },
      { weight: 1, arbitrary: broken.map((pairs) => pairs.map(([text]) => `?${text}`).join("")) },
    )
    .map((query) => query.slice(0, QUERY_CHARS_MAX));
}

function spelled(pairs: readonly (readonly [string, string])[]): string {
  if (pairs.length === 0) return "";
  return `?${pairs.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join("&")}`;
}

/** The fields of a message and of those within it, each with its path and its value as text. */
function pairsOf(value: unknown, path = ""): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item) => pairsOf(item, path));
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([name, inner]) => pairsOf(inner, path === "" ? name : `${path}.${name}`));
}

/** Percent-encoded, byte by byte where it must be; half a surrogate pair becomes what UTF-8 makes of it. */
function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
