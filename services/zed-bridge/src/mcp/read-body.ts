import type { NodeRequest } from "@helix-zed/server";

/** What became of reading a body. */
export type BodyRead =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "too-large" }
  | { readonly kind: "too-slow" }
  | { readonly kind: "broken" };

/** How much is read, and for how long. */
export interface BodyLimits {
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

/** Reads the body of a request. What is too much is not kept. */
export async function readBody(request: NodeRequest, { bytesMax, timeoutMs }: BodyLimits): Promise<BodyRead> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return { kind: "too-large" };
  const late = Promise.withResolvers<BodyRead>();
  const timer = setTimeout(() => late.resolve({ kind: "too-slow" }), timeoutMs);
  try {
    return await Promise.race([readAll(request, bytesMax), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function readAll(request: NodeRequest, bytesMax: number): Promise<BodyRead> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    request.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= bytesMax) pieces.push(piece);
      else resolve({ kind: "too-large" });
    });
    request.once("end", () => resolve({ kind: "text", text: Buffer.concat(pieces).toString("utf8") }));
    request.once("error", () => resolve({ kind: "broken" }));
    request.once("close", () => resolve({ kind: "broken" }));
  });
}
