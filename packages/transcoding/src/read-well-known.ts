import { create, type DescMessage, fromJson, type JsonValue, type Message, type Registry } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";

/** What the messages with a JSON form of their own accept, in words that follow "must be". */
const expectations: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Timestamp: 'an RFC 3339 time like "2030-01-31T12:00:00Z"',
    Duration: 'seconds with the suffix "s", like "1.5s"',
    FieldMask: 'field names separated by commas, like "name,config.model"',
    Struct: "a JSON object",
    ListValue: "a JSON array",
    Value: "any JSON value",
    Any: 'a JSON object with an "@type" that is known here',
  }).map(([name, expectation]) => [`google.protobuf.${name}`, expectation]),
);

/** Says what a well-known message accepts; undefined for messages that are plain JSON objects. */
export function wellKnownExpectationOf(message: DescMessage): string | undefined {
  return expectations.get(message.typeName);
}

/** Reads a well-known message; undefined when the JSON is none. */
export function readWellKnown(desc: DescMessage, json: JsonValue, registry: Registry | undefined): Message | undefined {
  if (desc.typeName === FieldMaskSchema.typeName) return readFieldMask(json);
  try {
    return fromJson(desc, json, registry === undefined ? {} : { registry });
  } catch {
    return undefined;
  }
}

// ProtoJSON wants camelCase; whoever sees snake_case fields everywhere else writes snake_case here too.
function readFieldMask(json: JsonValue): Message | undefined {
  if (typeof json !== "string" || !/^(?:[A-Za-z0-9_.]+(?:,[A-Za-z0-9_.]+)*)?$/.test(json)) return undefined;
  const paths = json === "" ? [] : json.split(",").map(toSnakeCase);
  return create(FieldMaskSchema, { paths });
}

function toSnakeCase(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
