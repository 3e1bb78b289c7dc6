// Health
//
// grpc.health.v1 over Connect. A service is SERVING while all its checks pass; checks run on a clock of their own, not
// when somebody asks, since health needs no token and asking must cost nothing. The empty name stands for the server as
// a whole, which has the same health as each of its services. Once the server drains it is NOT_SERVING for good.
import { EventEmitter, once } from "node:events";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { World } from "@helix-zed/domain";
import { HealthCheckResponse_ServingStatus as Status, type Health } from "@helix-zed/gen/health/v1/health_pb.ts";
import { errorInfo } from "./error-details.ts";
import type { Log } from "./log.ts";

const CHECK_INTERVAL_MS = 5_000;

/** Resolves if what it looks at is well; rejects with what is wrong. */
export type HealthCheck = () => Promise<unknown>;

/** What health is made of. */
export interface HealthOptions {
  /** Full names of the services whose health can be asked for. */
  readonly services: readonly string[];
  /** What must be well for them to serve, by name. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly log: Log;
  readonly world: Pick<World, "sleep">;
  /** Time between two rounds of checks, and how long one may take: 5 s. */
  readonly checkIntervalMs?: number;
}

/** The health of a server: what `Check`, `List` and `Watch` tell. */
export class HealthState {
  readonly #options: HealthOptions;
  readonly #names: ReadonlySet<string>;
  readonly #stopped = new AbortController();
  readonly #failing = new Set<string>();
  readonly #events = new EventEmitter();
  #status: Status = Status.NOT_SERVING;

  constructor(options: HealthOptions) {
    // One listener for each watch.
    this.#events.setMaxListeners(0);
    this.#options = options;
    this.#names = new Set(["", ...options.services]);
  }

  /** Runs the checks for the first time and, if they pass, serves; goes on checking until {@link drain}. */
  async start(): Promise<void> {
    await this.#round();
    void this.#repeat();
  }

  /** Resolves once all checks have passed, or when the server drains. */
  async serving(): Promise<void> {
    while (this.#status !== Status.SERVING && !this.#stopped.signal.aborted) await this.changed(this.#stopped.signal);
  }

  /** Says NOT_SERVING from now on. */
  drain(): void {
    this.#stopped.abort();
    this.#set(Status.NOT_SERVING);
  }

  /** The status of one service, or `null` if there is no such service here. */
  statusOf(name: string): Status | null {
    return this.#names.has(name) ? this.#status : null;
  }

  /** The status of every service. */
  list(): ReadonlyMap<string, Status> {
    return new Map(Array.from(this.#names, (name) => [name, this.#status]));
  }

  /** Resolves at the next change of status, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    // The only way for this to reject is the signal.
    await once(this.#events, "change", { signal }).catch(() => {});
  }

  async #repeat(): Promise<void> {
    const { world, checkIntervalMs = CHECK_INTERVAL_MS } = this.#options;
    while (!this.#stopped.signal.aborted) {
      // The only way out of this sleep is draining.
      await world.sleep(checkIntervalMs, this.#stopped.signal).catch(() => {});
      await this.#round();
    }
  }

  async #round(): Promise<void> {
    const checks = Object.entries(this.#options.checks);
    const passed = await Promise.all(checks.map(([name, check]) => this.#passes(name, check)));
    if (this.#stopped.signal.aborted) return;
    this.#set(passed.every(Boolean) ? Status.SERVING : Status.NOT_SERVING);
  }

  async #passes(name: string, check: HealthCheck): Promise<boolean> {
    const { log, checkIntervalMs = CHECK_INTERVAL_MS } = this.#options;
    try {
      await withTimeout(check(), checkIntervalMs);
      if (this.#failing.delete(name)) log.info({ check: name }, "a health check passes again");
      return true;
    } catch (error) {
      if (!this.#failing.has(name)) log.error({ check: name, err: error }, "a health check fails");
      this.#failing.add(name);
      return false;
    }
  }

  #set(status: Status): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#events.emit("change");
  }
}

/** `grpc.health.v1.Health`. */
export function healthService(health: HealthState): ServiceImpl<typeof Health> {
  return {
    check({ service }) {
      const status = health.statusOf(service);
      if (status === null) throw unknownService(service);
      return { status };
    },
    list() {
      return { statuses: Object.fromEntries(Array.from(health.list(), ([name, status]) => [name, { status }])) };
    },
    async *watch({ service }, context) {
      let last: Status | null = null;
      while (!context.signal.aborted) {
        const status = health.statusOf(service) ?? Status.SERVICE_UNKNOWN;
        if (status === last) {
          await health.changed(context.signal);
        } else {
          last = status;
          yield { status };
        }
      }
    },
  };
}

function unknownService(service: string): ConnectError {
  const details = [errorInfo("SERVICE_UNKNOWN", { service })];
  return new ConnectError("There is no such service here.", Code.NotFound, undefined, details);
}

function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
