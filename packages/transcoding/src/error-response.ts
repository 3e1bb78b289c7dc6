import { create, createRegistry, type JsonObject, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { type Any, anyPack, AnySchema, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  file_google_rpc_error_details,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.ts";
import { httpStatusOf } from "./http-status.ts";
import { isJsonObject } from "./json-object.ts";
import { PreconditionFailed, RestError, type RestErrorDetails } from "./rest-error.ts";

/**
 * Errors as AIP-193 shows them over HTTP:
 *
 *     {"error": {"code": 404, "message": "…", "status": "NOT_FOUND", "details": [{"@type": "…", …}]}}
 *
 * `code` is the HTTP status, `status` the canonical name, and each detail is an Any in ProtoJSON. A failure that is
 * neither a RestError nor a ConnectError is a bug: it becomes INTERNAL with a message that tells nothing.
 */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: JsonObject };
  /** What RetryInfo asked for, in milliseconds. */
  readonly retryDelayMs: number | undefined;
}

/** How errors are shown. */
export interface ErrorOptions {
  /** Types that details may have, beside google.rpc's own; a detail of another type is shown as base64. */
  readonly registry?: Registry | undefined;
  /** `domain` of the ErrorInfo on errors made here; without it they carry none. */
  readonly domain?: string | undefined;
}

/** Turns anything thrown into the response that says so. */
export type ErrorPresenter = (error: unknown) => ErrorResponse;

/** Makes the function that shows errors. */
export function createErrorPresenter({ registry, domain }: ErrorOptions): ErrorPresenter {
  const types = createRegistry(file_google_rpc_error_details, ...(registry === undefined ? [] : [registry]));
  return (given) => {
    const thrown = given instanceof PreconditionFailed ? given.cause : given;
    const error = toConnectError(thrown, domain);
    const { http, name } = httpStatusOf(error.code);
    const own: RestErrorDetails = thrown instanceof RestError ? thrown.details : {};
    const status = given instanceof PreconditionFailed ? 412 : (own.httpStatus ?? http);
    const details = packDetails(error).map((detail) => detailToJson(detail, types));
    const retryDelayMs = retryDelayOf(error);
    return {
      status,
      headers: { ...challenge(status), ...retryAfter(retryDelayMs), ...own.headers },
      body: { error: { code: status, message: error.rawMessage, status: name, details } },
      retryDelayMs,
    };
  };
}

function toConnectError(error: unknown, domain: string | undefined): ConnectError {
  if (error instanceof ConnectError) return error;
  if (!(error instanceof RestError)) return new ConnectError("internal error", Code.Internal);
  return new ConnectError(error.message, error.code, undefined, detailsOf(error, domain), error);
}

type OutgoingDetail = Extract<ConnectError["details"][number], { desc: unknown }>;

function detailsOf({ reason, details }: RestError, domain: string | undefined): OutgoingDetail[] {
  const { violations, retryDelayMs, metadata = {} } = details;
  const fieldViolations = violations?.map((violation) => ({ ...violation }));
  return [
    ...(domain === undefined ? [] : [{ desc: ErrorInfoSchema, value: { reason, domain, metadata: { ...metadata } } }]),
    ...(fieldViolations === undefined ? [] : [{ desc: BadRequestSchema, value: { fieldViolations } }]),
    ...(retryDelayMs === undefined
      ? []
      : [{ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(retryDelayMs) } }]),
  ];
}

// Details received hold bytes; details made in this process hold a message still to be built.
function packDetails(error: ConnectError): Any[] {
  return error.details.map((detail) =>
    "desc" in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value }),
  );
}

function detailToJson(detail: Any, registry: Registry): JsonValue {
  try {
    const json = toJson(AnySchema, detail, { registry });
    return isJsonObject(json) ? { "@type": detail.typeUrl, ...json } : json;
  } catch {
    return { "@type": detail.typeUrl, value: base64Encode(detail.value) };
  }
}

function retryDelayOf(error: ConnectError): number | undefined {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay && durationMs(delay);
}

// RFC 9110 wants a challenge with every 401.
function challenge(status: number): Record<string, string> {
  return status === 401 ? { "www-authenticate": "Bearer" } : {};
}

function retryAfter(delayMs: number | undefined): Record<string, string> {
  return delayMs === undefined ? {} : { "retry-after": String(Math.ceil(delayMs / 1000)) };
}
