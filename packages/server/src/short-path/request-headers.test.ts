import { describe, expect, test } from "vitest";
import { RequestHeaders } from "./request-headers.ts";

const source = { ":path": "/a", "x-one": " 1 ", "set-cookie": ["a=1", "b=2"], "x-empty": "", cookie: "c=3; d=4" };

function both(): [Headers, Headers] {
  const real = new Headers({ "x-one": "1", "x-empty": "", cookie: "c=3; d=4" });
  for (const cookie of source["set-cookie"]) real.append("set-cookie", cookie);
  return [new RequestHeaders({ headers: source }), real];
}

describe("the headers of a request", () => {
  test.each(["x-one", "X-One", "x-empty", "set-cookie", "cookie", "absent"])("say of %s what Headers say", (name) => {
    const [headers, real] = both();
    expect([headers.get(name), headers.has(name)]).toEqual([real.get(name), real.has(name)]);
  });

  test("can be gone through and copied like Headers, without what is HTTP/2's own", () => {
    const [headers, real] = both();
    expect([...headers]).toEqual([...real]);
    expect([...headers.keys()]).toEqual([...real.keys()]);
    expect([...headers.values()]).toEqual([...real.values()]);
    expect(headers.getSetCookie()).toEqual(real.getSetCookie());
    expect([...new Headers(headers)]).toEqual([...new Headers(real)]);
  });

  test("can be changed without a change to the request", () => {
    const [headers, real] = both();
    for (const each of [headers, real]) {
      each.set("x-one", "2");
      each.append("x-one", "3");
      each.delete("cookie");
    }
    expect([...headers]).toEqual([...real]);
    expect(headers.get("x-one")).toBe("2, 3");
    expect(source["x-one"]).toBe(" 1 ");
  });
});
