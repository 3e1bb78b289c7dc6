import type { Interceptor } from "@connectrpc/connect";

/** A token, or what gives the present one: asked before each call, so that it can be renewed meanwhile. */
export type TokenSource = string | (() => string | Promise<string>);

/** Sends the token with each call. */
export function bearer(source: TokenSource): Interceptor {
  return (next) => async (request) => {
    const token = typeof source === "string" ? source : await source();
    if (token !== "") request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
