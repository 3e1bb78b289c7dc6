import { describe, expect, test } from "vitest";
import { type Actor, hasRole, nameOf, principalOf, tenantOf } from "./actor.ts";

const runner: Actor = { kind: "service", name: "zed-bridge", roles: ["runner"] };
const backend: Actor = {
  kind: "service",
  name: "helix",
  roles: [],
  actsFor: { userId: "ada", organizationId: "acme" },
};

describe("the tenant of an actor", () => {
  test("is the organization of a user who has one", () => {
    expect(tenantOf({ kind: "user", userId: "ada", organizationId: "acme" })).toBe("organization:acme");
  });

  test("is the user where there is no organization", () => {
    expect(tenantOf({ kind: "user", userId: "ada" })).toBe("user:ada");
  });

  test("is that of the user whom a service acts for", () => {
    expect(tenantOf(backend)).toBe("organization:acme");
    expect(tenantOf({ ...runner, actsFor: { userId: "ada" } })).toBe("user:ada");
  });

  test("is not that of a user who is called like the organization", () => {
    const [user, member] = [{ userId: "acme" }, { userId: "ada", organizationId: "acme" }];
    expect(tenantOf({ kind: "user", ...user })).not.toBe(tenantOf({ kind: "user", ...member }));
  });

  test("is all tenants for a runner that acts for nobody", () => {
    expect(tenantOf(runner)).toBeNull();
  });

  test("is never all tenants for another service", () => {
    expect(() => tenantOf({ kind: "service", name: "helix", roles: [] })).toThrow(/helix acts for nobody/);
  });
});

describe("an actor", () => {
  test("is called by the user's id or the service's name", () => {
    expect(nameOf({ kind: "user", userId: "ada" })).toBe("ada");
    expect(nameOf(backend)).toBe("helix");
  });

  test("has roles only as a service", () => {
    expect(hasRole(runner, "runner")).toBe(true);
    expect(hasRole(backend, "runner")).toBe(false);
    expect(hasRole({ kind: "user", userId: "ada" }, "runner")).toBe(false);
  });

  test("leads to the person behind the call", () => {
    expect(principalOf(backend)).toEqual({ userId: "ada", organizationId: "acme" });
    expect(principalOf(runner)).toBeNull();
  });
});
