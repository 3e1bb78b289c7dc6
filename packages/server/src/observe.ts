// Observing calls
//
// Connect reads, checks and parses a request before any interceptor sees it, so interceptors miss the calls that fail
// early. Two things see every call of every protocol: the request gate, which runs first, and the end of the handler's
// context: Connect aborts its signal at the end of each call, with the error it is about to send, just before it sends it,
// or with none after a success; the short path says the same without a signal. So a call begins at the gate and ends with
// its context. That is where its one line is logged, and where errors of Connect's own making are completed (see
// complete-error.ts), whose details are read only afterwards.
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { nameOf, type World } from "@helix-zed/domain";
import { ErrorInfoSchema } from "@helix-zed/gen/google/rpc/error_details_pb.ts";
import { type Call, callKey } from "./call.ts";
import { completeError } from "./complete-error.ts";
import { endingOfCall } from "./ending.ts";
import type { Log } from "./log.ts";
import { type Overseer, overseeStream, withMessages } from "./oversee-stream.ts";
import { requestIdHeader } from "./request-id.ts";

/** Begins a call: to be run at the gate, before anything can fail. */
export function beginCall(context: HandlerContext, log: Log, world: Pick<World, "now">): Call {
  const requestId = context.requestHeader.get(requestIdHeader) ?? "unknown";
  const ending = endingOfCall(context);
  const call: Call = {
    requestId,
    startedAtMs: world.now().getTime(),
    ending,
    authentication: null,
    answered: false,
    sent: 0,
  };
  context.values.set(callKey, call);
  const end = (): void => {
    const { reason } = ending;
    const error = reason instanceof ConnectError ? completeError(reason, call.requestId, log) : null;
    logCall(context, call, error, log, world);
  };
  if (ending.isOver) end();
  else ending.listen(end);
  return call;
}

/** Counts what is sent and notes when the answer is complete. */
export const observe: Interceptor = (next) => async (request) => {
  const response = await next(request);
  const call = request.contextValues.get(callKey);
  if (call === null) return response;
  if (response.stream) return withMessages(response, overseeStream(response.message, counting(call)));
  call.answered = true;
  call.sent = 1;
  return response;
};

function counting<T>(call: Call): Overseer<T> {
  return {
    message(message) {
      call.sent++;
      return message;
    },
    ended() {
      call.answered = true;
    },
  };
}

function logCall(
  context: HandlerContext,
  call: Call,
  error: ConnectError | null,
  log: Log,
  world: Pick<World, "now">,
): void {
  // Without an error and without an answer, the caller has hung up (HTTP/1.1 says no more than that).
  const code = error?.code ?? (call.answered ? null : Code.Canceled);
  const line = {
    method: `${context.service.typeName}/${context.method.name}`,
    protocol: context.protocolName,
    code: code === null ? "ok" : Code[code],
    reason: error?.findDetails(ErrorInfoSchema)[0]?.reason,
    actor: call.authentication === null ? undefined : nameOf(call.authentication.actor),
    requestId: call.requestId,
    durationMs: world.now().getTime() - call.startedAtMs,
    sent: call.sent,
  };
  log[levelOf(context, code)](line, "call");
}

function levelOf(context: HandlerContext, code: Code | null): "debug" | "info" | "warn" | "error" {
  if (code === Code.Internal || code === Code.Unknown || code === Code.DataLoss) return "error";
  if (code === Code.Unavailable) return "warn";
  return context.service.typeName.startsWith("grpc.") ? "debug" : "info";
}
