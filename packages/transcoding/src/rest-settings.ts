import type { ConnectError } from "@connectrpc/connect";
import type { Registry } from "@bufbuild/protobuf";
import { createErrorPresenter, type ErrorPresenter } from "./error-response.ts";
import { allowHeaders, type HeaderFilter } from "./forwarded-headers.ts";
import { createJsonWriter, type JsonDialect, type JsonWriter } from "./json-writer.ts";
import type { NodeRequest } from "./node-http.ts";
import type { RestOptions } from "./rest-options.ts";
import type { StreamTiming } from "./send-stream.ts";

/** The options with their defaults filled in, ready for use. */
export interface RestSettings {
  readonly dialect: JsonDialect;
  readonly writeJson: JsonWriter;
  readonly present: ErrorPresenter;
  readonly registry: Registry | undefined;
  readonly allowRequestHeader: HeaderFilter;
  readonly allowResponseHeader: HeaderFilter;
  readonly maxBodyBytes: number;
  readonly defaultTimeoutMs: number | undefined;
  readonly maxTimeoutMs: number;
  readonly idField: string | undefined;
  readonly resumeField: string | undefined;
  readonly etagField: string | undefined;
  readonly requestIdField: string | undefined;
  readonly compressMinBytes: number;
  readonly timing: StreamTiming;
  readonly onUnexpected: (error: unknown, request: NodeRequest) => ConnectError | undefined;
}

const requestHeadersByDefault = ["authorization", "x-request-id", "traceparent", "tracestate"];

/** Fills in the defaults. */
export function settle(options: RestOptions): RestSettings {
  const { dialect = "proto", emitDefaults = true, registry, errorDomain, streams = {} } = options;
  return {
    dialect,
    registry,
    writeJson: createJsonWriter({ dialect, emitDefaults, registry }),
    present: createErrorPresenter({ registry, domain: errorDomain }),
    allowRequestHeader: allowHeaders(options.requestHeaders ?? requestHeadersByDefault),
    allowResponseHeader: allowHeaders(options.responseHeaders ?? []),
    maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
    defaultTimeoutMs: options.defaultTimeoutMs,
    maxTimeoutMs: options.maxTimeoutMs ?? Number.POSITIVE_INFINITY,
    idField: streams.idField,
    resumeField: streams.resumeField,
    etagField: options.etagField,
    requestIdField: options.requestIdField,
    compressMinBytes: options.compressMinBytes ?? 1_024,
    timing: { heartbeatMs: streams.heartbeatMs ?? 15_000, headerDelayMs: streams.headerDelayMs ?? 250 },
    onUnexpected: options.onUnexpected ?? (() => undefined),
  };
}
