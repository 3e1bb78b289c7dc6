import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import type { Quota, Refusal, ResourceName, Violation } from "@helix-zed/domain";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "@helix-zed/gen/google/rpc/error_details_pb.ts";

/** The `domain` of every ErrorInfo that these services send. */
export const errorDomain = "helix-zed";

/** One detail of an error on its way out. */
export type Detail = Extract<ConnectError["details"][number], { desc: unknown }>;

// Over gRPC an error travels in trailers, which peers take up to some 8 KB of: what does not fit is worse than cut off.
const MESSAGE_CHARS_MAX = 1_000;
const VIOLATIONS_MAX = 40;
const DESCRIPTION_CHARS_MAX = 120;

type Metadata = Readonly<Record<string, string>>;

/** Everything a refusal says, as the details of `google.rpc`. */
export function detailsOf(refusal: Refusal): Detail[] {
  const details = [errorInfo(refusal.reason, refusal.metadata)];
  if (refusal.violations.length > 0) details.push(badRequest(refusal.violations));
  if (refusal.resource !== undefined) details.push(resourceInfo(refusal.resource, refusal.message));
  if (refusal.quota !== undefined) details.push(quotaFailure(refusal.quota));
  if (refusal.retryAfterMs !== undefined) details.push(retryInfo(refusal.retryAfterMs));
  return details;
}

/** `google.rpc.ErrorInfo`: the reason, for programs. */
export function errorInfo(reason: string, metadata: Metadata = {}): Detail {
  const value: MessageInitShape<typeof ErrorInfoSchema> = { reason, domain: errorDomain, metadata: { ...metadata } };
  return { desc: ErrorInfoSchema, value };
}

/** `google.rpc.RequestInfo`: what to quote when asking for help. */
export function requestInfo(requestId: string): Detail {
  const value: MessageInitShape<typeof RequestInfoSchema> = { requestId };
  return { desc: RequestInfoSchema, value };
}

/** The message of an error, at a length that every peer takes. */
export function boundedMessage(message: string): string {
  return shorten(message, MESSAGE_CHARS_MAX);
}

function badRequest(violations: readonly Violation[]): Detail {
  const fieldViolations = violations.slice(0, VIOLATIONS_MAX).map(({ field, description }) => ({
    field: shorten(field, DESCRIPTION_CHARS_MAX),
    description: shorten(description, DESCRIPTION_CHARS_MAX),
  }));
  const value: MessageInitShape<typeof BadRequestSchema> = { fieldViolations };
  return { desc: BadRequestSchema, value };
}

function resourceInfo({ type, name }: ResourceName, description: string): Detail {
  const value: MessageInitShape<typeof ResourceInfoSchema> = { resourceType: type, resourceName: name, description };
  return { desc: ResourceInfoSchema, value };
}

function quotaFailure({ subject, description }: Quota): Detail {
  const violation = {
    subject: shorten(subject, DESCRIPTION_CHARS_MAX),
    description: shorten(description, DESCRIPTION_CHARS_MAX),
  };
  const value: MessageInitShape<typeof QuotaFailureSchema> = { violations: [violation] };
  return { desc: QuotaFailureSchema, value };
}

function retryInfo(retryAfterMs: number): Detail {
  const value: MessageInitShape<typeof RetryInfoSchema> = { retryDelay: durationFromMs(retryAfterMs) };
  return { desc: RetryInfoSchema, value };
}

function shorten(text: string, charsMax: number): string {
  // Half a surrogate pair, sent by a caller and quoted back, cannot be encoded.
  return (text.length > charsMax ? `${text.slice(0, charsMax)}…` : text).toWellFormed();
}
