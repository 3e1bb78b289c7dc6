import { type Actor, principalOf, tenantOf } from "@helix-zed/domain";
import { refuse } from "./reason.ts";

/** Whom what an actor creates belongs to. */
export interface Owner {
  readonly tenant: string;
  readonly userId: string;
  /** Empty for a user's own. */
  readonly organizationId: string;
}

/** The owner of what this actor creates. Refuses a service that acts for nobody. */
export function ownerOf(actor: Actor): Owner {
  const principal = principalOf(actor);
  const tenant = tenantOf(actor);
  if (principal === null || tenant === null) {
    throw refuse("TENANT_REQUIRED", "The call must name the user that it is made for.");
  }
  return { tenant, userId: principal.userId, organizationId: principal.organizationId ?? "" };
}
