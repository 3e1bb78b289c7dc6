import { type Actor, Refusal, tenantOf } from "@helix-zed/domain";
import { TokenCodec } from "@helix-zed/persistence";
import type { Reason } from "../domain/reason.ts";
import type { ZedInstance } from "../domain/zed-instance.ts";
import type { App } from "./app.ts";
import { pageSizeOf } from "./page-size.ts";

/** Which page of the actor's instances. */
export interface ListZedInstances {
  /** Empty: of any task. */
  readonly taskId: string;
  /** 0: as usual. */
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Some instances, and how to get the next ones. */
export interface InstancePage {
  readonly instances: readonly ZedInstance[];
  /** Empty: these were the last. */
  readonly nextPageToken: string;
}

const tokens = new TokenCodec<string>({
  kind: "zed-instances",
  reason: "PAGE_TOKEN_INVALID",
  version: 1,
  parse: (value) => (typeof value === "string" ? value : undefined),
});

/** Lists the actor's instances, newest first. Refuses with PAGE_TOKEN_INVALID. */
export async function listZedInstances(
  { database }: App,
  actor: Actor,
  command: ListZedInstances,
): Promise<InstancePage> {
  const { taskId, pageToken } = command;
  const tenant = tenantOf(actor);
  const limit = pageSizeOf(command.pageSize);
  const boundTo = [tenant, taskId];
  const before = pageToken === "" ? null : tokens.decode(pageToken, boundTo);
  return database.transact(async ({ instances }) => {
    const found = await instances.page({ tenant, taskId, before, limit: limit + 1 });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const nextPageToken = found.length > limit && last !== undefined ? tokens.encode(last.id, boundTo) : "";
    return { instances: page, nextPageToken };
  });
}

/** Reads one instance of the actor's. Refuses with ZED_INSTANCE_NOT_FOUND. */
export function getZedInstance({ database }: App, actor: Actor, { id }: { readonly id: string }): Promise<ZedInstance> {
  return database.transact(async ({ instances }) => {
    const instance = await instances.findVisible(id, tenantOf(actor));
    if (instance === null) throw instanceNotFound(id);
    return instance;
  });
}

/** What to say where there is no such instance, or it is another tenant's: the same, to the byte. */
export function instanceNotFound(id: string): Refusal<Reason> {
  const resource = { type: "ZedInstance", name: id };
  return new Refusal("ZED_INSTANCE_NOT_FOUND", "There is no such instance.", { zed_instance_id: id }, { resource });
}
