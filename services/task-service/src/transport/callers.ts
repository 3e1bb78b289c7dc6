import type { HandlerContext } from "@connectrpc/connect";
import { type Actor, hasRole } from "@helix-zed/domain";
import { actorOf } from "@helix-zed/server";
import { ownerOf } from "../domain/owner.ts";
import { refuse } from "../domain/reason.ts";

/** A caller who has a tenant: a person, or a service that acts for one. */
export function tenantCaller(context: Pick<HandlerContext, "values">): Actor {
  const actor = actorOf(context);
  ownerOf(actor);
  return actor;
}

/** A caller who may carry out work sessions. */
export function runnerCaller(context: Pick<HandlerContext, "values">): Actor {
  const actor = actorOf(context);
  if (!hasRole(actor, "runner")) throw refuse("RUNNER_ROLE_REQUIRED", "Only runners may do this.");
  return actor;
}
