// Directives: words in square brackets inside a prompt that tell the default
// script to behave in a certain way, so that a demonstration or a test can ask
// for it through any agent.
//
//   [demo: no-tool]                answer with text only
//   [demo: file NAME]              write the file NAME instead of one named after the prompt
//   [demo: escalate]               ask to be allowed more than the agent's sandbox allows, if its tool can say so
//   [demo: slow 20 chunks 100ms]   first stream 20 pieces of text, 100 ms apart
//   [demo: error 400]              refuse the request with this HTTP status
//   [demo: hang]                   accept the request and never answer
//   [demo: hold NAME]              say a sentence, then wait for NAME to be released, then go on
//   [demo: hold-end NAME]          the same, after the tool's answer
//   [demo: call TOOL {…}]          call this tool with these arguments, see scripted-calls.ts; may come several times
//
// Unknown directives are left alone and stay part of the prompt.

import { type ScriptedCall, takeCalls } from "./scripted-calls.ts";

export interface Directives {
  /** The prompt without its directives. */
  readonly subject: string;
  readonly noTool: boolean;
  readonly hang: boolean;
  readonly escalate: boolean;
  readonly file: string | undefined;
  readonly errorStatus: number | undefined;
  readonly hold: string | undefined;
  readonly holdEnd: string | undefined;
  readonly calls: readonly ScriptedCall[];
  readonly slow: { readonly chunks: number; readonly pauseMs: number } | undefined;
}

const pattern = /\[demo:\s*(no-tool|hang|escalate|file|slow|error|hold-end|hold)\b\s*([^\]]*)\]/g;

/** Reads the directives in a prompt; the last one of a kind counts. */
export function readDirectives(prompt: string): Directives {
  const { calls, rest: others } = takeCalls(prompt);
  const found = new Map([...others.matchAll(pattern)].map(([, name, rest]) => [name, (rest ?? "").trim()]));
  const [chunks, pauseMs] = found.get("slow")?.match(/\d+/g) ?? [];
  return {
    subject: others
      .replaceAll(pattern, "")
      .replaceAll(/[ \t]+/g, " ")
      .trim(),
    noTool: found.has("no-tool"),
    hang: found.has("hang"),
    escalate: found.has("escalate"),
    file: found.get("file"),
    errorStatus: found.has("error") ? Number(found.get("error")) || 500 : undefined,
    calls,
    hold: found.get("hold"),
    holdEnd: found.get("hold-end"),
    slow: found.has("slow") ? { chunks: Number(chunks ?? 10), pauseMs: Number(pauseMs ?? 100) } : undefined,
  };
}
