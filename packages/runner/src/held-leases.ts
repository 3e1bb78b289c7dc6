import type { Client } from "@connectrpc/connect";
import type { RunnerService } from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";

const RENEWED_AT_ONCE_MAX = 1_000;

/** The leases that this process holds: work session id → epoch. */
export class HeldLeases {
  readonly #epochs = new Map<string, bigint>();
  readonly #runner: string;
  readonly #runners: Client<typeof RunnerService>;

  constructor({ name, runners }: { readonly name: string; readonly runners: Client<typeof RunnerService> }) {
    this.#runner = name;
    this.#runners = runners;
  }

  get size(): number {
    return this.#epochs.size;
  }

  ids(): string[] {
    return [...this.#epochs.keys()];
  }

  epochOf(workSessionId: string): bigint | undefined {
    return this.#epochs.get(workSessionId);
  }

  hold(workSessionId: string, epoch: bigint): void {
    this.#epochs.set(workSessionId, epoch);
  }

  forget(workSessionId: string): void {
    this.#epochs.delete(workSessionId);
  }

  /** Prolongs all leases and returns the sessions whose lease is lost. Those claimed anew meanwhile are not. */
  async renew(signal: AbortSignal): Promise<string[]> {
    const held = [...this.#epochs];
    const lost: string[] = [];
    for (let start = 0; start < held.length; start += RENEWED_AT_ONCE_MAX) {
      const part = held.slice(start, start + RENEWED_AT_ONCE_MAX);
      const leases = part.map(([workSessionId, epoch]) => ({ workSessionId, epoch }));
      const { lostIds } = await this.#runners.renewLeases({ runner: this.#runner, leases }, { signal });
      const asked = new Map(part);
      lost.push(...lostIds.filter((id) => this.#epochs.get(id) === asked.get(id)));
    }
    return lost;
  }
}
