// An identity provider for one test: signs JSON Web Tokens with node:crypto, and publishes its keys over HTTP.
//
//    await using provider = await startIdentityProvider();
//    provider.token({ sub: "ada" });
//
// It may rotate its keys, withdraw old ones, and be out of order; how often it was asked for its keys is counted.

import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** Claims beside the usual ones; `undefined` leaves a usual one out. */
export type Claims = Readonly<Record<string, unknown>>;

/** How a token is signed where it is not in the usual way. */
export interface Signing {
  readonly algorithm?: "ES256" | "HS256" | "none";
  readonly keyId?: string;
  /** Signed by a stranger with the id of a key of ours. */
  readonly forged?: boolean;
}

interface Key {
  readonly id: string;
  readonly secret: KeyObject;
  readonly published: JsonWebKey;
}

const LIFETIME_S = 600;

/** A running provider. */
export class IdentityProvider {
  readonly issuer = "https://identity.example";
  readonly audience = "helix-zed";
  /** How often its keys were asked for. */
  requests = 0;
  isDown = false;
  #keys: readonly Key[] = [makeKey(1)];
  #made = 1;
  readonly #server = createServer((_request, response) => {
    this.requests++;
    response.writeHead(this.isDown ? 503 : 200, { "content-type": "application/json" });
    response.end(this.isDown ? "{}" : JSON.stringify({ keys: this.#keys.map(({ published }) => published) }));
  });

  /** Where the keys are; known once it listens. */
  get jwksUrl(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("The identity provider does not listen.");
    return `http://127.0.0.1:${address.port}/keys`;
  }

  /** The settings of services that trust it. */
  get settings(): Record<string, string> {
    const { issuer, audience, jwksUrl } = this;
    return { HELIX_ZED_JWT_ISSUER: issuer, HELIX_ZED_JWT_AUDIENCE: audience, HELIX_ZED_JWKS_URL: jwksUrl };
  }

  /** Signs with a new key from now on; the old ones stay published unless they are withdrawn. */
  rotate({ withdraw = false } = {}): void {
    this.#keys = [makeKey(++this.#made), ...(withdraw ? [] : this.#keys)];
  }

  /** A token of ten minutes. */
  token(claims: Claims = {}, { algorithm = "ES256", keyId, forged = false }: Signing = {}): string {
    const now = Math.floor(Date.now() / 1_000);
    const [newest] = this.#keys;
    if (newest === undefined) throw new Error("There is no key.");
    const usual = { iss: this.issuer, aud: this.audience, sub: "ada", iat: now, exp: now + LIFETIME_S };
    const content = [
      { alg: algorithm, kid: keyId ?? newest.id, typ: "JWT" },
      { ...usual, ...claims },
    ]
      .map(encode)
      .join(".");
    return `${content}.${signatureOf(content, algorithm, forged ? makeKey(0) : newest)}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Starts a provider at a free port. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  const provider = new IdentityProvider();
  await provider.listen();
  return provider;
}

function makeKey(number: number): Key {
  const { privateKey: secret, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const id = `key-${number}`;
  return { id, secret, published: { ...publicKey.export({ format: "jwk" }), kid: id, alg: "ES256", use: "sig" } };
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

function signatureOf(content: string, algorithm: Signing["algorithm"], { secret, published }: Key): string {
  if (algorithm === "none") return "";
  // What an attacker knows is the public key: used as a shared secret.
  if (algorithm === "HS256") return createHmac("sha256", JSON.stringify(published)).update(content).digest("base64url");
  return sign("sha256", Buffer.from(content), { key: secret, dsaEncoding: "ieee-p1363" }).toString("base64url");
}
