import type { EntityManager } from "@mikro-orm/postgresql";
import { inFlightStatuses, Turn, type TurnOrigin } from "../domain/turn.ts";

/** What a new turn begins with. */
export interface NewTurn {
  readonly id: string;
  readonly mappingId: string;
  readonly number: number;
  readonly message: string;
  readonly interrupt: boolean;
  readonly callerRequestId: string | null;
  readonly payloadHash: string | null;
  readonly origin?: TurnOrigin;
  readonly now: Date;
}

/** That a prompt has arrived. */
export interface Receipt {
  readonly instanceId: string;
  readonly epoch: number;
  readonly turnId: string;
  readonly now: Date;
}

/** The turns of threads. Only read under the lock of their mapping do they say what is true. */
export class TurnRepository {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** A turn of this thread, by its id. */
  find(mappingId: string, id: string): Promise<Turn | null> {
    return this.#em.findOne(Turn, { id, mappingId });
  }

  /** The turn that the editor has, if it has one. */
  inFlight(mappingId: string): Promise<Turn | null> {
    return this.#em.findOne(Turn, { mappingId, status: { $in: [...inFlightStatuses] } });
  }

  /** The turn that somebody has typed in the editor, if it is at work on one. */
  typedInFlight(mappingId: string): Promise<Turn | null> {
    return this.#em.findOne(Turn, { mappingId, origin: "editor", status: { $in: [...inFlightStatuses] } });
  }

  /** The turns that have not ended, oldest first. */
  live(mappingId: string): Promise<Turn[]> {
    const status = { $in: ["queued" as const, ...inFlightStatuses] };
    return this.#em.find(Turn, { mappingId, status }, { orderBy: { number: "asc" } });
  }

  countQueued(mappingId: string): Promise<number> {
    return this.#em.count(Turn, { mappingId, status: "queued" });
  }

  /** The turns that were given up while the editor had them, in this launch, and that it was not told to stop. */
  owedCancels(mappingId: string, launch: number): Promise<Turn[]> {
    return this.#em.find(Turn, {
      mappingId,
      status: { $in: ["interrupted", "failed"] },
      cancelRequestedAt: { $ne: null },
      cancelSentEpoch: 0,
      sentLaunch: launch,
    });
  }

  /** The turn that a caller asked for under its own request id. */
  ofCaller(mappingId: string, callerRequestId: string): Promise<Turn | null> {
    return this.#em.findOne(Turn, { mappingId, callerRequestId });
  }

  /** The mapping of a turn, if that is of this instance; without a lock. */
  async mappingOf(zedSessionId: string, turnId: string): Promise<string | null> {
    const rows = await this.#em.execute<{ id: string }[]>(
      `select m.id from turns t join zed_thread_mappings m on m.id = t.mapping_id where t.id = ? and m.zed_session_id = ?`,
      [turnId, zedSessionId],
    );
    return rows[0]?.id ?? null;
  }

  /** The editor has a turn that is in its hands since this connection. Only that is written: nothing of its status. */
  async noteReceipt({ instanceId, epoch, turnId, now }: Receipt): Promise<void> {
    await this.#em.execute(
      `update turns t set received_at = ?::timestamptz from zed_thread_mappings m
       where t.id = ? and m.id = t.mapping_id and m.zed_session_id = ? and t.sent_epoch = ? and t.received_at is null
         and t.status in ('sent', 'running', 'waiting')`,
      [now.toISOString(), turnId, instanceId, epoch],
    );
  }

  add({ now, origin = "caller", ...given }: NewTurn): Turn {
    return this.#em.create(Turn, {
      ...given,
      origin,
      status: "queued",
      statusReason: "",
      error: "",
      stalled: false,
      attempt: 0,
      usage: null,
      sentEpoch: 0,
      sentLaunch: 0,
      sentAt: null,
      createsThread: false,
      startedAt: null,
      cancelRequestedAt: null,
      cancelReason: "",
      cancelSentEpoch: 0,
      wireId: "",
      anchor: null,
      receivedAt: null,
      heardCount: 0,
      heardAt: null,
      heardEpoch: 0,
      heardLast: "",
      probeEpoch: 0,
      probeSentEpoch: 0,
      probeCancelledAt: null,
      completedAt: null,
      createdAt: now,
      updatedAt: now,
    });
  }
}
