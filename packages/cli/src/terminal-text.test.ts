import { describe, expect, test } from "vitest";
import { terminalLine, terminalText } from "./terminal-text.ts";

const hostile: readonly (readonly [string, string])[] = [
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007text", "text"],
  ["\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\", "link"],
  ["\u009b2Jgone", "gone"],
  ["one\rtwo", "onetwo"],
  ["bell\u0007 back\b\b", "bell back"],
  ["\u202eevil\u2066", "evil"],
  ["lines\r\nand\ttabs\n", "lines\nand\ttabs\n"],
];

describe("text for a terminal", () => {
  test.each(hostile)("%j can only be read", (text, shown) => {
    expect(terminalText(text)).toBe(shown);
  });

  test("fits one line and the width that there is", () => {
    expect(terminalLine(" a\nb\t c ", 100)).toBe("a b c");
    expect(terminalLine("abcdef", 4)).toBe("abc…");
  });
});
