import type { EntityManager } from "@mikro-orm/postgresql";
import { AgentReportRepository } from "./agent-report-repository.ts";
import { AgentTokenRepository } from "./agent-token-repository.ts";
import { DeadlineRepository } from "./deadline-repository.ts";
import { EditorThreadRepository } from "./editor-thread-repository.ts";
import { EntryRepository } from "./entry-repository.ts";
import { InstanceRepository } from "./instance-repository.ts";
import { PermissionRepository } from "./permission-repository.ts";
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
  readonly editorThreads: EditorThreadRepository;
  readonly deadlines: DeadlineRepository;
  readonly permissions: PermissionRepository;
  readonly agentTokens: AgentTokenRepository;
  readonly agentReports: AgentReportRepository;
  readonly log: ThreadLog;
  readonly #topics = new Set<string>();

  constructor(em: EntityManager) {
    this.em = em;
    this.instances = new InstanceRepository(em);
    this.threads = new ThreadRepository(em);
    this.turns = new TurnRepository(em);
    this.entries = new EntryRepository(em);
    this.editorThreads = new EditorThreadRepository(em);
    this.deadlines = new DeadlineRepository(em);
    this.permissions = new PermissionRepository(em);
    this.agentTokens = new AgentTokenRepository(em);
    this.agentReports = new AgentReportRepository(em);
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

  /** A thread that a person began is to become a work session. */
  ringEditorThreads(): void {
    this.#topics.add("editor-threads");
  }

  /** A report is owed. */
  ringReports(): void {
    this.#topics.add("reports");
  }
}
