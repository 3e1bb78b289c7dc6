import { systemWorld } from "@helix-zed/domain";
import { type Claims, type IdentityProvider, startIdentityProvider } from "@helix-zed/harness/identity-provider.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bearerAuthenticator } from "./authenticate.ts";
import { type JwtOptions, JwtVerifier } from "./jwt-verifier.ts";
import { TokenList } from "./token-list.ts";

let provider: IdentityProvider;
beforeAll(async () => {
  provider = await startIdentityProvider();
});
afterAll(() => provider.close());

const now = (): number => Math.floor(Date.now() / 1_000);

function verifier(options: Partial<JwtOptions> = {}, from = provider, cooldownMs = 60_000): JwtVerifier {
  const { issuer, audience, jwksUrl } = from;
  const all = { issuer, audience, jwksUrl, organizationClaim: "organization_id", clockSkewMs: 30_000, ...options };
  return new JwtVerifier(all, { world: systemWorld(), warn: () => {}, cooldownMs });
}

function bearer(token: string): Headers {
  return new Headers({ authorization: `Bearer ${token}` });
}

function refused(reason: string): unknown {
  return expect.objectContaining({ name: "Refusal", reason });
}

describe("a JSON Web Token", () => {
  test("stands for its subject", async () => {
    const exp = now() + 60;
    const verified = await verifier().verify(provider.token({ sub: "ada", exp }));
    expect(verified).toEqual({ principal: { userId: "ada" }, expiresAt: new Date((exp + 30) * 1_000) });
  });

  test("names the organization in the claim that is configured", async () => {
    const claim = "https://example.com/org";
    const token = provider.token({ [claim]: "acme", organization_id: "other" });
    const { principal } = await verifier({ organizationClaim: claim }).verify(token);
    expect(principal).toEqual({ userId: "ada", organizationId: "acme" });
  });

  test("may be meant for several audiences", async () => {
    const verified = verifier().verify(provider.token({ aud: ["somebody", "helix-zed"] }));
    await expect(verified).resolves.toMatchObject({ principal: { userId: "ada" } });
  });

  test.each<[string, Claims, string]>([
    ["has expired", { exp: now() - 31 }, "TOKEN_EXPIRED"],
    ["is for another audience", { aud: "somebody" }, "TOKEN_AUDIENCE_WRONG"],
    ["is for no audience", { aud: undefined }, "TOKEN_AUDIENCE_WRONG"],
    ["is from another issuer", { iss: "https://elsewhere.example" }, "TOKEN_ISSUER_WRONG"],
    ["is not valid yet", { nbf: now() + 60 }, "TOKEN_NOT_YET_VALID"],
    ["never expires", { exp: undefined }, "TOKEN_CLAIMS_INVALID"],
    ["expires at no number", { exp: "tomorrow" }, "TOKEN_CLAIMS_INVALID"],
    ["has no subject", { sub: undefined }, "TOKEN_CLAIMS_INVALID"],
    ["has an empty subject", { sub: "" }, "TOKEN_CLAIMS_INVALID"],
    ["has a subject with spaces", { sub: "all tenants" }, "TOKEN_CLAIMS_INVALID"],
    ["has a subject that is no text", { sub: 7 }, "TOKEN_CLAIMS_INVALID"],
    ["has an organization that is no text", { organization_id: ["acme"] }, "TOKEN_CLAIMS_INVALID"],
    ["has an organization with spaces", { organization_id: "a b" }, "TOKEN_CLAIMS_INVALID"],
  ])("that %s is refused with a reason of its own", async (_what, claims, reason) => {
    await expect(verifier().verify(provider.token(claims))).rejects.toEqual(refused(reason));
  });

  test("is good a little before and after its time, as clocks differ", async () => {
    const skewed = [{ exp: now() - 25 }, { nbf: now() + 25 }];
    for (const claims of skewed) await expect(verifier().verify(provider.token(claims))).resolves.toBeDefined();
    const strict = verifier({ clockSkewMs: 0 });
    await expect(strict.verify(provider.token({ exp: now() - 1 }))).rejects.toEqual(refused("TOKEN_EXPIRED"));
  });

  test("that is signed with a shared secret, or not at all, is refused", async () => {
    for (const algorithm of ["HS256", "none"] as const) {
      const token = provider.token({}, { algorithm });
      await expect(verifier().verify(token)).rejects.toEqual(refused("TOKEN_ALGORITHM_REFUSED"));
    }
  });

  test("that somebody else signed, or that was changed, is refused", async () => {
    const good = provider.token();
    const [header = "", , signature = ""] = good.split(".");
    const [, claims = ""] = provider.token({ sub: "eve" }).split(".");
    for (const token of [provider.token({}, { forged: true }), [header, claims, signature].join(".")])
      await expect(verifier().verify(token)).rejects.toEqual(refused("TOKEN_UNKNOWN"));
  });

  test.each(["a.b.c", "..", "eyJhbGciOiJFUzI1NiJ9..", "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtleS0xIn0.e30.", "e30.e30.e30"])(
    "that is none is refused, in words of our own: %s",
    async (token) => {
      const failure: unknown = await verifier()
        .verify(token)
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: "Refusal", reason: expect.stringMatching(/^TOKEN_(MALFORMED|UNKNOWN)$/) });
      expect(String(failure)).not.toMatch(/JWS|JOSE|JWK|Protected Header|jose/);
    },
  );

  test("is told from a listed token by its form, and may not act for others", async () => {
    const authenticate = bearerAuthenticator({ tokens: new TokenList([]), jwts: verifier() });
    const { actor } = await authenticate(bearer(provider.token({ organization_id: "acme" })));
    expect(actor).toEqual({ kind: "user", userId: "ada", organizationId: "acme" });
    expect(() => authenticate(bearer("no-token"))).toThrow(expect.objectContaining({ reason: "TOKEN_UNKNOWN" }));
    const acting = bearer(provider.token());
    acting.set("helix-user-id", "bob");
    await expect(authenticate(acting)).rejects.toEqual(refused("ACTS_FOR_FORBIDDEN"));
  });
});

describe("the keys of an identity provider", () => {
  test("rotate without a restart, and the old ones stay good for as long as they are published", async () => {
    await using rotating = await startIdentityProvider();
    const jwts = verifier({}, rotating, 0);
    const before = rotating.token();
    await jwts.verify(before);
    rotating.rotate();
    await expect(jwts.verify(rotating.token())).resolves.toBeDefined();
    await expect(jwts.verify(before)).resolves.toBeDefined();
    expect(rotating.requests).toBe(2);
    rotating.rotate({ withdraw: true });
    await jwts.verify(rotating.token());
    await expect(jwts.verify(before)).rejects.toEqual(refused("TOKEN_UNKNOWN"));
  });

  test("are asked for once, however many tokens name keys that do not exist", async () => {
    await using asked = await startIdentityProvider();
    const jwts = verifier({}, asked);
    const strangers = Array.from({ length: 50 }, (_, index) => asked.token({}, { keyId: `made-up-${index}` }));
    for (const token of strangers) await expect(jwts.verify(token)).rejects.toEqual(refused("TOKEN_UNKNOWN"));
    expect(asked.requests).toBe(1);
  });

  test("that are known go on while the provider is down; others are put off, not refused", async () => {
    await using down = await startIdentityProvider();
    const jwts = verifier({}, down, 0);
    await jwts.verify(down.token());
    down.isDown = true;
    await expect(jwts.verify(down.token())).resolves.toBeDefined();
    down.rotate();
    const putOff = expect.objectContaining({ reason: "TOKEN_KEYS_UNAVAILABLE", retryAfterMs: 1_000 });
    await expect(jwts.verify(down.token())).rejects.toEqual(putOff);
    down.isDown = false;
    await expect(jwts.verify(down.token())).resolves.toBeDefined();
  });

  test("need not be there when the service starts", async () => {
    await using late = await startIdentityProvider();
    late.isDown = true;
    const jwts = verifier({}, late);
    await expect(jwts.verify(late.token())).rejects.toEqual(refused("TOKEN_KEYS_UNAVAILABLE"));
    late.isDown = false;
    await expect(jwts.verify(late.token())).resolves.toBeDefined();
  });
});
