/** A value of JSON. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** An object of JSON. */
export type JsonObject = { [key: string]: JsonValue };
