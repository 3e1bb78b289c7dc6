import type { validateUniversalHandlerOptions } from "@connectrpc/connect/protocol";

/** What Connect's own handlers are told too: limits, compression, interceptors, the gate, the signal of the end. */
export type ShortPathSettings = ReturnType<typeof validateUniversalHandlerOptions>;
