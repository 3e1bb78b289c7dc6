import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparators, type FilterNode } from "./filter-ast.ts";
import { conditionOf, fulfils } from "./filter-condition.ts";
import { FilterError } from "./filter-error.ts";
import { taskFields, workSessionFields } from "./filter-fields.ts";
import { parseFilter } from "./parse-filter.ts";
import { printFilter } from "./print-filter.ts";

const limits = { filterCharsMax: 1_000, filterTermsMax: 20 };

/** A filter without positions, short enough to be compared. */
function shape(node: FilterNode | null): unknown {
  if (node === null) return null;
  if (node.kind === "term") return [node.field, node.comparator, node.value.text, node.value.isPrefix];
  return node.kind === "not" ? { not: shape(node.operand) } : { [node.kind]: node.operands.map(shape) };
}

function fault(text: string, fields: Parameters<typeof conditionOf>[1] = workSessionFields): string {
  try {
    conditionOf(text, fields, limits);
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
  return "nothing is wrong";
}

const [a, b, c] = ["a", "b", "c"].map((name) => [name, "=", "1", false]);

describe("a filter", () => {
  test.each<[string, unknown]>([
    ["", null],
    [" \t\n", null],
    ["a=1", a],
    ["a = 1 AND b = 1", { and: [a, b] }],
    ["a = 1 b = 1 c = 1", { and: [a, b, c] }],
    ["a=1 OR b=1 AND c=1", { and: [{ or: [a, b] }, c] }],
    ["a=1 b=1 OR c=1", { and: [a, { or: [b, c] }] }],
    ["(a=1 b=1) OR c=1", { or: [{ and: [a, b] }, c] }],
    ["NOT a=1 OR -b=1", { or: [{ not: a }, { not: b }] }],
    ["NOT (a=1 OR b=1)", { not: { or: [a, b] } }],
    ["((a=1))", a],
    ["a=-5", ["a", "=", "-5", false]],
    ["a<=b", ["a", "<=", "b", false]],
    ["a:auth*", ["a", ":", "auth", true]],
    ["a:*", ["a", ":", "", true]],
    [`a:"x*"`, ["a", ":", "x", true]],
    [String.raw`a:"x\*"`, ["a", ":", "x*", false]],
    [String.raw`a="say \"hi\" \\ it's"`, ["a", "=", String.raw`say "hi" \ it's`, false]],
    [`a='say "hi"'`, ["a", "=", 'say "hi"', false]],
    ["a>2026-01-31T12:00:00.5+01:00", ["a", ">", "2026-01-31T12:00:00.5+01:00", false]],
    ["a=host-1.local/x", ["a", "=", "host-1.local/x", false]],
    [`a="AND"`, ["a", "=", "AND", false]],
    [
      "ANDROID=1 NOTE=1",
      {
        and: [
          ["ANDROID", "=", "1", false],
          ["NOTE", "=", "1", false],
        ],
      },
    ],
    ["a=naïve✓", ["a", "=", "naïve✓", false]],
  ])("reads %j", (text, expected) => {
    expect(shape(parseFilter(text))).toEqual(expected);
  });

  test.each<[string, string]>([
    ["status", "position 7: expected one of = != < <= > >= : after status, found the end"],
    ["status =", "position 9: expected a value after =, found the end"],
    ["status = active AND", "position 20: expected a field, NOT or (, found the end"],
    ["status = active OR OR", "position 20: expected a field, NOT or (, found OR"],
    ["(status = active", "position 17: expected AND, OR or ), found the end"],
    ["status = active)", "position 16: expected AND, OR or the end of the filter, found )"],
    ["name = 'it", "position 8: the string that begins here has no end"],
    ["✓✓ = 'it", "position 6: the string that begins here has no end"],
    ["name ! it", "position 6: unexpected !"],
    [String.raw`name = "\n"`, String.raw`position 8: in a string, \ stands only before ", ', \ and *, not before n`],
    ["nmae = it", "position 1: found nmae, expected one of status, task_type, priority, user_id, app_id, name"],
    ["a.b = it", "position 1: found a.b, expected one of"],
    ["status = running", "position 10: found running, expected one of pending, blocked, active"],
    ["status < active", "position 1: status is compared with =, != and : only, not with <"],
    ["priority = high", "position 12: found high, expected a whole number"],
    ["priority = 1.5", "position 12: found 1.5, expected a whole number"],
    ["priority = - 5", "position 14: expected a value after =, found 5"],
    ["created_at > yesterday", "position 14: found yesterday, expected a time like 2026-01-31T12:00:00Z"],
    ["created_at > 2026-02-30T00:00:00Z", "position 14: found 2026-02-30T00:00:00Z, expected a time"],
    ["created_at > 2026-01-01T24:00:00Z", "position 14: found 2026-01-01T24:00:00Z, expected a time"],
    ["created_at > 2026-01-01T00:00:00.0001Z", "position 14: found 2026-01-01T00:00:00.0001Z, expected a time"],
    ["name = auth*", "position 8: a star stands only after :, the character is"],
    ["status : act*", "position 10: status takes no star"],
    ["constructor = 1", "position 1: found constructor"],
    ["NOT NOT status = active", "position 5: expected a field, NOT or (, found NOT"],
    ["status = active, name = it", "position 16: unexpected ,"],
    ["f(x)", "position 2: expected one of = != < <= > >= : after f, found ("],
  ])("says of %j what is wrong, and where", (text, expected) => {
    expect(fault(text)).toContain(expected);
  });

  test("may have 1,000 characters, and not one more", () => {
    const longest = `name = "${"é".repeat(991)}"`;
    expect(fault(longest)).toBe("nothing is wrong");
    expect(fault(`${longest} `)).toBe("position 1001: a filter has at most 1000 characters");
  });

  test("may have 20 terms, and not one more", () => {
    const most = Array.from({ length: 20 }, () => "priority=1").join(" OR ");
    expect(fault(most)).toBe("nothing is wrong");
    expect(fault(`${most} OR priority=1`)).toBe("position 281: a filter has at most 20 terms");
  });

  test("of tasks knows nothing of sessions", () => {
    expect(fault("runner:*", taskFields)).toContain("position 1: found runner");
  });

  test("of 1,000 brackets is read or refused, not choked on", () => {
    expect(fault("(".repeat(1_000))).toContain("position 1001: expected a field");
    expect(fault(`${"(".repeat(490)}priority=1${")".repeat(490)}`)).toBe("nothing is wrong");
  });
});

const words = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }).filter((text) => text.isWellFormed()),
  fc.constantFrom("", "*", "\\", '"', "'", "AND", "-1", "a b", "2026-01-01T00:00:00Z"),
);
const terms = fc.record({
  kind: fc.constant("term" as const),
  field: fc.constantFrom("status", "name", "x-1", "NOTE"),
  comparator: fc.constantFrom(...comparators),
  value: fc.record({ text: words, isPrefix: fc.boolean(), at: fc.constant(1) }),
  at: fc.constant(1),
});
const { node: anyNode } = fc.letrec<{ node: FilterNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    terms,
    fc.record({ kind: fc.constant("not" as const), operand: tie("node") }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      operands: fc.array(tie("node"), { minLength: 2, maxLength: 4 }),
    }),
  ),
}));

describe("the grammar", () => {
  test("reads what the printer writes as the same filter", () => {
    fc.assert(
      fc.property(anyNode, (node) => {
        expect(shape(parseFilter(printFilter(node)))).toEqual(shape(node));
      }),
      { numRuns: 2_000 },
    );
  });

  test("reads any text, or says where it cannot", () => {
    const pieces = fc.constantFrom(
      ...Array.from(" ()-=!<>:\"'\\*,"),
      "AND",
      "OR",
      "NOT",
      "status",
      "active",
      "priority",
      "5",
      "✓",
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 30 }).map((list) => list.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const message = fault(text);
        const position = /^position (\d+): /.exec(message)?.[1];
        if (position === undefined) expect(message).toBe("nothing is wrong");
        else expect(Number(position)).toBeLessThanOrEqual(Array.from(text).length + 1);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a condition", () => {
  const values = {
    status: "active",
    task_type: "batch",
    priority: -3,
    user_id: "ada",
    app_id: "",
    name: "Add (fuzzy) search",
    created_at: Date.parse("2026-01-31T12:00:00Z"),
    updated_at: Date.parse("2026-02-01T12:00:00.250Z"),
    agent_type: "zed_agent",
    helix_session_id: "ses_1",
    runner: "",
  };

  test.each<[string, boolean]>([
    ["status = active", true],
    ["status:active", true],
    ["status != active", false],
    ["NOT status = pending", true],
    ["priority < 0 AND priority >= -3", true],
    ["priority:-3", true],
    ["name:fuzzy", true],
    ["name:Fuzzy", false],
    [`name:"Add*"`, true],
    ["name:search*", false],
    [`name:"(fuzzy) s"`, true],
    ["app_id:*", false],
    ["user_id:*", true],
    [`runner = ""`, true],
    ["runner:* OR -status=active", false],
    ["created_at = 2026-01-31T13:00:00+01:00", true],
    ["created_at < 2026-01-31T12:00:00.001Z", true],
    ["updated_at > 2026-02-01T12:00:00.250000000Z", false],
    ["updated_at >= 2026-02-01T12:00:00.25Z", true],
    ["name < B", true],
    ["name > ad", false],
  ])("%j is %j", (text, expected) => {
    const condition = conditionOf(text, workSessionFields, limits);
    expect(condition && fulfils(condition, values)).toBe(expected);
  });
});
