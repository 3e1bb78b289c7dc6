import type { World } from "@helix-zed/domain";
import type { Limits } from "../domain/limits.ts";
import type { Database } from "../persistence/database.ts";

/** What every use case is given. */
export interface App {
  readonly database: Database;
  readonly world: World;
  readonly limits: Limits;
  /** The kinds of agents that sessions can be made for. */
  readonly agentTypes: readonly string[];
}
