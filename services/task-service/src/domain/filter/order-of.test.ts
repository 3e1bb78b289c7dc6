import { describe, expect, test } from "vitest";
import { taskFields } from "./filter-fields.ts";
import { orderOf } from "./order-of.ts";

const limits = { orderCharsMax: 1_000 };

describe("an order", () => {
  test.each<[string, string[]]>([
    ["", []],
    ["   ", []],
    ["priority", ["priority"]],
    ["priority asc", ["priority"]],
    ["  priority ,created_at   desc ", ["priority", "-created_at"]],
    [Object.keys(taskFields).join(","), Object.keys(taskFields)],
  ])("reads %j", (text, expected) => {
    const order = orderOf(text, taskFields, limits);
    expect(order.map(({ field, isDescending }) => (isDescending ? `-${field}` : field))).toEqual(expected);
  });

  test.each<[string, string]>([
    ["prio", "position 1: found prio, expected one of status"],
    ["priority,", "position 10: found nothing, expected one of status"],
    ["priority down", "position 1: found down after priority, expected asc, desc or nothing"],
    ["priority, priority desc", "position 10: priority is there twice"],
    ["name, -priority", "position 6: found -priority, expected one of"],
    ["name; drop table tasks", "position 1: found name; drop table tasks"],
    ["a".repeat(1_001), "position 1001: an order has at most 1000 characters"],
  ])("says of %j what is wrong, and where", (text, expected) => {
    expect(() => orderOf(text, taskFields, limits)).toThrow(expected);
  });
});
