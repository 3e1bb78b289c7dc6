import { describe, expect, test } from "vitest";
import { readDirectives } from "./directives.ts";

describe("directives", () => {
  test("a prompt without any is left as it is", () => {
    expect(readDirectives("Add a [small] page")).toMatchObject({
      subject: "Add a [small] page",
      noTool: false,
      hang: false,
    });
  });

  test("are taken out of the prompt", () => {
    const read = readDirectives("Go [demo: slow 20 chunks 100ms] on [demo: file notes/a b.md]");
    expect(read).toMatchObject({ subject: "Go on", slow: { chunks: 20, pauseMs: 100 }, file: "notes/a b.md" });
  });

  test("tell the two holds apart", () => {
    expect(readDirectives("[demo: hold a] [demo: hold-end b]")).toMatchObject({ hold: "a", holdEnd: "b" });
  });
});
