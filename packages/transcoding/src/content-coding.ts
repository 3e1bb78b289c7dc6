import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip, inflate } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { parseRanges } from "./accept.ts";
import { RestError } from "./rest-error.ts";

// Content codings, RFC 9110, section 8.4: requests in gzip, deflate or brotli, answers in brotli or gzip.

type Decode = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

const ACCEPTED = "gzip, deflate, br";

/** Undoes the coding of a body; `maxBytes` is for what comes out. Throws 415, 413 or INVALID_ARGUMENT. */
export async function decodeContent(
  bytes: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Uint8Array> {
  const coding = encoding?.trim().toLowerCase() ?? "identity";
  if (coding === "identity" || bytes.length === 0) return bytes;
  const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
  if (decode === undefined) throw unknownCoding(coding);
  try {
    return await decode(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw contentTooLarge(maxBytes);
    throw new RestError(Code.InvalidArgument, "INVALID_REQUEST", `The body is not valid ${coding}.`);
  }
}

/** 413, before or after the coding is undone. */
export function contentTooLarge(maxBytes: number): RestError {
  const message = `The request is larger than ${maxBytes} bytes.`;
  return new RestError(Code.ResourceExhausted, "MESSAGE_TOO_LARGE", message, { httpStatus: 413 });
}

function unknownCoding(coding: string): RestError {
  const message = `The body must be in ${ACCEPTED} or not coded at all, not in ${coding}.`;
  const details = { httpStatus: 415, headers: { "accept-encoding": ACCEPTED } };
  return new RestError(Code.InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", message, details);
}

/** A coding that answers may have. */
export type AnswerCoding = "br" | "gzip";

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

/** The level at which brotli takes no longer than gzip does. */
const BROTLI_QUALITY = 4;

const encoders: Readonly<Record<AnswerCoding, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  br: (bytes) =>
    brotli(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  gzip: (bytes) => zip(bytes),
};

/** Codes a body for an answer. */
export function encodeContent(bytes: Uint8Array, coding: AnswerCoding): Promise<Uint8Array> {
  return encoders[coding](bytes);
}

/** The coding that an Accept-Encoding header likes best; brotli before gzip, `undefined` for none. */
export function chooseCoding(acceptEncoding: string | undefined): AnswerCoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const ranges = parseRanges(acceptEncoding);
  const qualityOf = (name: string): number =>
    (ranges.find(({ type }) => type === name) ?? ranges.find(({ type }) => type === "*"))?.quality ?? 0;
  const [br, gz] = [qualityOf("br"), qualityOf("gzip")];
  if (br === 0 && gz === 0) return undefined;
  return br >= gz ? "br" : "gzip";
}
