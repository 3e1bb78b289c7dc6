import { type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";

/**
 * Scalars from JSON, by the rules of ProtoJSON: numbers may come as strings, 64-bit integers and bytes usually do.
 * Nothing is bent to fit: 1.5 is no integer, 3e9 no int32, "yes" no bool.
 */
export type ScalarValue = string | number | bigint | boolean | Uint8Array;

/** The value, or undefined when the JSON is none of that type; `expectationOf` says what would have been. */
export function readScalar(type: ScalarType, json: JsonValue): ScalarValue | undefined {
  return scalars[type].read(json);
}

/** What a field of that type accepts, in words that follow "must be". */
export function expectationOf(type: ScalarType): string {
  return scalars[type].expectation;
}

interface ScalarRule {
  readonly expectation: string;
  readonly read: (json: JsonValue) => ScalarValue | undefined;
}

function integer(min: bigint, max: bigint, convert: (value: bigint) => number | bigint): ScalarRule {
  return {
    expectation: `an integer from ${min} to ${max}`,
    read(json) {
      const value = toBigInt(json);
      return value === undefined || value < min || value > max ? undefined : convert(value);
    },
  };
}

function float(max: number): ScalarRule {
  return { expectation: "a number", read: (json) => readFloat(json, max) };
}

const int32 = integer(-(2n ** 31n), 2n ** 31n - 1n, Number);
const uint32 = integer(0n, 2n ** 32n - 1n, Number);
const int64 = integer(-(2n ** 63n), 2n ** 63n - 1n, BigInt);
const uint64 = integer(0n, 2n ** 64n - 1n, BigInt);

const scalars: Record<ScalarType, ScalarRule> = {
  [ScalarType.STRING]: {
    expectation: "a string",
    read: (json) => (typeof json === "string" && json.isWellFormed() ? json : undefined),
  },
  [ScalarType.BOOL]: {
    expectation: "true or false",
    read: (json) => (typeof json === "boolean" ? json : undefined),
  },
  [ScalarType.BYTES]: { expectation: "a base64 string", read: readBytes },
  [ScalarType.DOUBLE]: float(Number.MAX_VALUE),
  [ScalarType.FLOAT]: float(3.4028234663852886e38),
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function toBigInt(json: JsonValue): bigint | undefined {
  if (typeof json === "string") {
    if (/^-?\d{1,20}$/.test(json)) return BigInt(json);
    return jsonNumber.test(json) ? toBigInt(Number(json)) : undefined;
  }
  // Beyond 2^53 a JSON number has lost digits before we see it: such integers have to come as strings.
  return typeof json === "number" && Number.isSafeInteger(json) ? BigInt(json) : undefined;
}

function readFloat(json: JsonValue, max: number): number | undefined {
  if (json === "NaN" || json === "Infinity" || json === "-Infinity") return Number(json);
  const value = typeof json === "string" && jsonNumber.test(json) ? Number(json) : json;
  return typeof value === "number" && Math.abs(value) <= max ? value : undefined;
}

function readBytes(json: JsonValue): Uint8Array | undefined {
  if (typeof json !== "string") return undefined;
  try {
    return base64Decode(json);
  } catch {
    return undefined;
  }
}
