import {
  type ConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type MethodImplSpec,
} from "@connectrpc/connect";

/** What can be called on the short path. */
export type ShortSpec = Extract<MethodImplSpec, { kind: "unary" | "server_streaming" }>;

/**
 * The router, with a note of what is routed and can be served on the short path. What is routed with options of its own is
 * left out: they may change interceptors, limits and protocols.
 */
export function recordSpecs(router: ConnectRouter): { readonly router: ConnectRouter; readonly specs: ShortSpec[] } {
  const specs: ShortSpec[] = [];
  const record = (spec: MethodImplSpec): void => {
    if (spec.kind === "unary" || spec.kind === "server_streaming") specs.push(spec);
  };
  const recording: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      router.service(service, implementation, options);
      if (options === undefined) Object.values(createServiceImplSpec(service, implementation).methods).forEach(record);
      return recording;
    },
    rpc(method, implementation, options) {
      router.rpc(method, implementation, options);
      if (options === undefined) record(createMethodImplSpec(method, implementation));
      return recording;
    },
  };
  return { router: recording, specs };
}
