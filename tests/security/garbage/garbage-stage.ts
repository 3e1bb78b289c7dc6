import { readFileSync } from "node:fs";
import path from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { type Cluster, startCluster } from "@helix-zed/harness/cluster.ts";
import { eventually } from "@helix-zed/harness/eventually.ts";
import { type Json, RestClient } from "@helix-zed/harness/rest-client.ts";
import { KnownTexts } from "./known-texts.ts";
import { RawHttp } from "./raw-http.ts";

const SERVICES = ["gateway", "task-service", "zed-bridge"] as const;
const WORDS = ["zed_agent", "simple", "runner-1", "active", '"1"', '"2"', "created_at desc", 'status = "active"'];

/** A whole system to throw garbage at. To be closed. */
export class GarbageStage {
  readonly gateway: RawHttp;
  /** A user's token, and a runner's. */
  readonly tokens: readonly [string, string];
  readonly #cluster: Cluster;
  readonly #services: Readonly<Record<"helix.task.v1" | "helix.zed.v1", RawHttp>>;
  readonly #rest: RestClient;
  readonly #pids: readonly number[];
  #tasks = 0;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.tokens = [cluster.token("local"), cluster.token("zed-bridge")];
    this.gateway = new RawHttp(cluster.gatewayUrl);
    this.#services = {
      "helix.task.v1": new RawHttp(cluster.taskUrl),
      "helix.zed.v1": new RawHttp(cluster.bridgeUrl),
    };
    this.#rest = new RestClient(cluster.gatewayUrl, cluster.token("local"));
    this.#pids = SERVICES.map((name) => cluster.service(name).pid);
  }

  static async open(): Promise<GarbageStage> {
    return new GarbageStage(await startCluster());
  }

  async close(): Promise<void> {
    for (const http of [this.gateway, ...Object.values(this.#services)]) http.close();
    await this.#cluster.stop();
  }

  /** The process that serves this. */
  serverOf({ file }: DescService): RawHttp {
    const contract = file.proto.package;
    if (contract === "helix.task.v1" || contract === "helix.zed.v1") return this.#services[contract];
    throw new Error(`Nobody is known to serve ${contract}.`);
  }

  /** Makes a task whose agent is held in the middle of its turn, and gives the ids of all that has to do with it. */
  async somethingToAskAbout(): Promise<KnownTexts> {
    const name = `garbage-${++this.#tasks}`;
    const { body: task } = await this.#rest.post("/api/v1/tasks", {
      name: `Try [demo: hold ${name}]`,
      task_type: "batch",
      project_path: this.#cluster.makeRepository(name),
    });
    await this.#cluster.model.reached(name);
    const { body } = await this.#rest.get(`/api/v1/tasks/${task["id"]}/work-sessions`);
    const session: Json = body["work_sessions"][0];
    const thread = await eventually("the thread is there", async () => {
      const answer = await this.#rest.get(`/api/v1/work-sessions/${session["id"]}/zed-thread`);
      return answer.status === 200 ? answer.body : undefined;
    });
    const { body: instances } = await this.#rest.get(`/api/v1/zed-instances?task_id=${task["id"]}`);
    const sessions = [task["coordinator_session_id"], session["id"], session["helix_session_id"]];
    const editor = [thread["id"], thread["latest_turn"]["id"], instances["zed_instances"][0]["id"]];
    return new KnownTexts([...WORDS, task["id"], ...sessions, ...editor]);
  }

  /** What has become of the processes and of what they are for, if anything has. */
  async damage(): Promise<string[]> {
    const ended = SERVICES.filter((name, index) => {
      const service = this.#cluster.service(name);
      return !service.isRunning || service.pid !== this.#pids[index];
    });
    const reads = ["/readyz", "/api/v1/tasks", "/api/v1/zed-instances"];
    const answers = await Promise.all(reads.map((place) => this.#rest.get(place)));
    const unwell = reads.filter((_, index) => answers[index]?.status !== 200);
    return [
      ...ended.map((name) => `${name} has ended`),
      ...unwell.map((place) => `${place} does not answer`),
      ...SERVICES.flatMap((name) => this.#errorsLoggedBy(name)),
    ];
  }

  #errorsLoggedBy(name: (typeof SERVICES)[number]): string[] {
    const log = readFileSync(path.join(this.#cluster.layout.dataFolder, "logs", `${name}.log`), "utf8");
    return log.split("\n").filter((line) => /^\{"level":[56]0,/.test(line));
  }
}
