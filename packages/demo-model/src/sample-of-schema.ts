import { isObject, listOf, objectOf, type JsonObject } from "./json.ts";

/**
 * A small value that satisfies a JSON schema, for the questions that agents ask behind the user's back.
 * Where a choice is between "user" and "model" (who speaks next), it is the user's turn.
 */
export function sampleOfSchema(schema: JsonObject): unknown {
  const choices = listOf(schema["enum"]);
  if (choices.length > 0) return choices.includes("user") ? "user" : choices[0];
  if ("const" in schema) return schema["const"];
  const alternative = listOf(schema["anyOf"] ?? schema["oneOf"])[0];
  if (isObject(alternative)) return sampleOfSchema(alternative);
  return sampleOfType(schema);
}

function sampleOfType(schema: JsonObject): unknown {
  const declared = listOf(schema["type"])[0] ?? schema["type"];
  switch (typeof declared === "string" ? declared.toLowerCase() : "object") {
    case "string":
      return "Answered by the demo model.";
    case "number":
    case "integer":
      return typeof schema["minimum"] === "number" ? schema["minimum"] : 0;
    case "boolean":
      return false;
    case "array":
      return [];
    case "null":
      return null;
    default:
      return sampleOfObject(schema);
  }
}

function sampleOfObject(schema: JsonObject): JsonObject {
  const fields = Object.entries(objectOf(schema["properties"]));
  return Object.fromEntries(fields.map(([name, field]) => [name, sampleOfSchema(objectOf(field))]));
}
