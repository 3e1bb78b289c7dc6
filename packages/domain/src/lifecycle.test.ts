import { describe, expect, test } from "vitest";
import { availableActions, isTerminal, type Lifecycle, nextState } from "./lifecycle.ts";

const door: Lifecycle<"open" | "closed" | "gone", "open" | "close" | "remove"> = {
  open: { open: null, close: "closed", remove: null },
  closed: { open: "open", close: null, remove: "gone" },
  gone: { open: null, close: null, remove: null },
};

describe("a lifecycle", () => {
  test("leads from a state through an action to the next state", () => {
    expect(nextState(door, "closed", "open")).toBe("open");
  });

  test("refuses an action whose cell is empty", () => {
    expect(nextState(door, "open", "remove")).toBeNull();
  });

  test("names the actions of a state in the order of the table", () => {
    expect(availableActions(door, "closed")).toEqual(["open", "remove"]);
    expect(availableActions(door, "gone")).toEqual([]);
  });

  test("ends in states that allow nothing", () => {
    expect(isTerminal(door, "gone")).toBe(true);
    expect(isTerminal(door, "open")).toBe(false);
  });
});
