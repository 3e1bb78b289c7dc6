import type { NodeResponse } from "@helix-zed/server";
import type { Upstream } from "./upstream.ts";

/** What `/healthz` and `/readyz` tell: that the gateway lives, and that it has something to stand before. */
export class Readiness {
  readonly #upstreams: readonly Upstream[];
  #asking: Promise<Readonly<Record<string, boolean>>> | undefined;
  #draining = false;

  constructor(upstreams: readonly Upstream[]) {
    this.#upstreams = upstreams;
  }

  /** Not ready from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** Answers `/healthz`: the process lives. */
  answerAlive(response: NodeResponse): void {
    answer(response, 200, { status: "ok" });
  }

  /** Answers `/readyz`: 200 when every service says that it serves, else 503; either way with one line for each. */
  async answerReady(response: NodeResponse): Promise<void> {
    const services = await this.#ask();
    const ready = !this.#draining && Object.values(services).every(Boolean);
    const named = Object.entries(services).map(([name, serving]) => [name, serving ? "serving" : "not serving"]);
    const status = this.#draining ? "stopping" : ready ? "ok" : "not ready";
    answer(response, ready ? 200 : 503, { status, services: Object.fromEntries(named) });
  }

  // However many ask at once, the services are asked once: the question needs no token.
  #ask(): Promise<Readonly<Record<string, boolean>>> {
    this.#asking ??= this.#askEach().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askEach(): Promise<Readonly<Record<string, boolean>>> {
    const answers = this.#upstreams.map(async (upstream) => [upstream.name, await upstream.isServing()] as const);
    return Object.fromEntries(await Promise.all(answers));
  }
}

function answer(response: NodeResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
