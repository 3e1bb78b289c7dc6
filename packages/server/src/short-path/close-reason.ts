import { constants } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";

/** Why a call is over that ended like any other. One for all: making one costs a stack trace each time. */
export const endOfCall: DOMException = new DOMException("This operation was aborted", "AbortError");

/** What the reset of a stream means, by its number: as gRPC has it. */
const resets: Readonly<Record<number, readonly [name: string, code: Code]>> = {
  [constants.NGHTTP2_PROTOCOL_ERROR]: ["PROTOCOL_ERROR", Code.Internal],
  [constants.NGHTTP2_INTERNAL_ERROR]: ["INTERNAL_ERROR", Code.Internal],
  [constants.NGHTTP2_FLOW_CONTROL_ERROR]: ["FLOW_CONTROL_ERROR", Code.Internal],
  [constants.NGHTTP2_SETTINGS_TIMEOUT]: ["SETTINGS_TIMEOUT", Code.Internal],
  [constants.NGHTTP2_FRAME_SIZE_ERROR]: ["FRAME_SIZE_ERROR", Code.Internal],
  [constants.NGHTTP2_REFUSED_STREAM]: ["REFUSED_STREAM", Code.Unavailable],
  [constants.NGHTTP2_CANCEL]: ["CANCEL", Code.Canceled],
  [constants.NGHTTP2_COMPRESSION_ERROR]: ["COMPRESSION_ERROR", Code.Internal],
  [constants.NGHTTP2_CONNECT_ERROR]: ["CONNECT_ERROR", Code.Internal],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: ["ENHANCE_YOUR_CALM", Code.ResourceExhausted],
  [constants.NGHTTP2_INADEQUATE_SECURITY]: ["INADEQUATE_SECURITY", Code.PermissionDenied],
  [constants.NGHTTP2_HTTP_1_1_REQUIRED]: ["HTTP_1_1_REQUIRED", Code.PermissionDenied],
};

/** Why a call is over whose stream was closed with this number. */
export function closeReason(rstCode: number | undefined): ConnectError | DOMException {
  const [name, code] = resets[rstCode ?? 0] ?? [];
  if (name === undefined) return endOfCall;
  const message = `http/2 stream closed with error code ${name} (0x${(rstCode ?? 0).toString(16)})`;
  return new ConnectError(message, code);
}
