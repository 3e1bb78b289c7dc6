import type { EntityManager } from "@mikro-orm/postgresql";
import { DeadlineRepository } from "./deadline-repository.ts";
import { EntryRepository } from "./entry-repository.ts";
import { InstanceRepository } from "./instance-repository.ts";
import { ThreadLog } from "./thread-log.ts";
import { ThreadRepository } from "./thread-repository.ts";
import { TurnRepository } from "./turn-repository.ts";

/** What a use case may touch: one transaction. Lock in the order instance, then threads by id. */
export class Unit {
  readonly em: EntityManager;
  readonly instances: InstanceRepository;
  readonly threads: ThreadRepository;
  readonly turns: TurnRepository;
  readonly entries: EntryRepository;
  readonly deadlines: DeadlineRepository;
  readonly log: ThreadLog;
  readonly #topics = new Set<string>();

  constructor(em: EntityManager) {
    this.em = em;
    this.instances = new InstanceRepository(em);
    this.threads = new ThreadRepository(em);
    this.turns = new TurnRepository(em);
    this.entries = new EntryRepository(em);
    this.deadlines = new DeadlineRepository(em);
    this.log = new ThreadLog(em);
  }

  /** What to ring for after the commit. */
  get topics(): readonly string[] {
    return [...this.#topics, ...this.log.threads.map(({ id }) => `thread:${id}`)];
  }

  /** Commands may be due on the link of this instance, or its process is to be started or stopped. */
  ringInstance(instanceId: string): void {
    this.#topics.add(`instance:${instanceId}`).add("instances");
  }

  /** A thread's transcript has grown. */
  ringThread(mappingId: string): void {
    this.#topics.add(`thread:${mappingId}`);
  }

  /** A report is owed. */
  ringReports(): void {
    this.#topics.add("reports");
  }
}
