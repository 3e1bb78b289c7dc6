import { describe, expect, test } from "vitest";
import { newToolCall } from "./tool-call.ts";
import { renderToolCall, toolLabel } from "./tool-call-markdown.ts";

function body(markdown: string): string {
  return markdown.slice(markdown.indexOf("\n\n") + 2);
}

describe("the label of a tool call", () => {
  test("is a command as it is", () => {
    expect(toolLabel(newToolCall({ id: "t", kind: "execute", title: "rm *\nls" }))).toBe("rm *\nls");
  });

  test("is the title of an edit with its markdown escaped", () => {
    expect(toolLabel(newToolCall({ id: "t", kind: "edit", title: "Write a_b-c.md <x>" }))).toBe(
      "Write a\\_b\\-c.md &lt;x&gt;",
    );
  });

  test("is the first line of anything else", () => {
    expect(toolLabel(newToolCall({ id: "t", kind: "read", title: "Read *a*\nand b" }))).toBe("Read *a*…");
    expect(toolLabel(newToolCall({ id: "t", kind: "read", title: "Read *a*" }))).toBe("Read *a*");
  });
});

describe("the content of a tool call", () => {
  test("is its texts and the whole new text of its diffs", () => {
    const content = [
      { type: "text", text: "two files" },
      { type: "diff", path: "/a.md", newText: "# A" },
    ] as const;
    expect(body(renderToolCall(newToolCall({ id: "t", content })))).toBe(
      "two files\n\nDiff: /a.md\n```\n# A\n```\n\n\n",
    );
  });

  test("is what its terminal has printed, piece by piece", () => {
    const call = newToolCall({ id: "t", terminalOutput: { terminalId: "x", data: "one\n" } });
    expect(body(renderToolCall(call))).toBe("Terminal:\n```\none\n\n```\n\n\n");
  });

  test("is the raw output only where there is nothing else", () => {
    expect(body(renderToolCall(newToolCall({ id: "t", rawOutput: { ok: true } })))).toBe(
      '```json\n{\n  "ok": true\n}\n```\n\n',
    );
    expect(body(renderToolCall(newToolCall({ id: "t", rawOutput: "plain" })))).toBe("plain\n\n");
    const content = [{ type: "text", text: "said" }] as const;
    expect(body(renderToolCall(newToolCall({ id: "t", content, rawOutput: "plain" })))).toBe("said\n\n");
  });
});
