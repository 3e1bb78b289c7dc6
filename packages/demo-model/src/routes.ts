import { anthropicMessages } from "./anthropic-messages.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { WireFormat } from "./wire-format.ts";

export type Route =
  | { readonly to: "model"; readonly wire: WireFormat }
  | { readonly to: "count"; readonly wire: WireFormat }
  | { readonly to: "models" | "about" | "nowhere" }
  | { readonly to: "reached" | "release"; readonly hold: string };

/** Decides who answers a request. Prefixes before the last part of a path do not matter: agents differ in them. */
export function route(method: string, path: string): Route {
  if (method === "POST") return routePost(path);
  if (path === "/") return { to: "about" };
  if (/\/models(\/[^/]+)?$/.test(path)) return { to: "models" };
  const hold = /^\/demo\/holds\/([^/]+)$/.exec(path)?.[1];
  return hold === undefined ? { to: "nowhere" } : { to: "reached", hold: decodeURIComponent(hold) };
}

function routePost(path: string): Route {
  if (path.endsWith("/chat/completions")) return { to: "model", wire: openaiChat };
  if (path.endsWith("/responses")) return { to: "model", wire: openaiResponses };
  if (path.endsWith("/messages/count_tokens")) return { to: "count", wire: anthropicMessages };
  if (path.endsWith("/messages")) return { to: "model", wire: anthropicMessages };
  if (/:(streamGenerateContent|generateContent)$/.test(path)) return { to: "model", wire: gemini };
  if (path.endsWith(":countTokens")) return { to: "count", wire: gemini };
  const hold = /^\/demo\/holds\/([^/]+)\/release$/.exec(path)?.[1];
  return hold === undefined ? { to: "nowhere" } : { to: "release", hold: decodeURIComponent(hold) };
}
