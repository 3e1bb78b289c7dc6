import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Is it an object, rather than an array, null or a plain value? */
export function isJsonObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
