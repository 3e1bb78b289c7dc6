/** What a service may do beyond acting for somebody: a `runner` sees and carries out the work sessions of all tenants. */
export const roles = ["runner"] as const;

/** One of {@link roles}. */
export type Role = (typeof roles)[number];

/** A person, and the organization that the call is made in, if any. */
export interface Principal {
  readonly userId: string;
  readonly organizationId?: string;
}

/** A person who calls us directly. */
export interface UserActor extends Principal {
  readonly kind: "user";
}

/** A service that calls us: for the person it names, or, as a runner, for everybody. */
export interface ServiceActor {
  readonly kind: "service";
  readonly name: string;
  readonly roles: readonly Role[];
  readonly actsFor?: Principal;
}

/** Who is asking. Every repository is born with one. */
export type Actor = UserActor | ServiceActor;

/**
 * The tenant whose rows the actor may see: the organization, else the user; for a service, of whom it acts for.
 * `null` stands for all tenants and is given to runners only.
 */
export function tenantOf(actor: Actor): string | null {
  const principal = principalOf(actor);
  if (principal !== null) return tenantOfPrincipal(principal);
  if (hasRole(actor, "runner")) return null;
  throw new Error(`The service ${nameOf(actor)} acts for nobody and is no runner: it has no tenant.`);
}

/** A person's tenant. Its kind is part of the name: a user may be called like an organization. */
export function tenantOfPrincipal({ userId, organizationId }: Principal): string {
  return organizationId === undefined ? `user:${userId}` : `organization:${organizationId}`;
}

/** The person behind the call, or `null` for a service that acts for nobody. */
export function principalOf(actor: Actor): Principal | null {
  return actor.kind === "user" ? actor : (actor.actsFor ?? null);
}

/** Whether the actor is a service with this role; people have no roles. */
export function hasRole(actor: Actor, role: Role): boolean {
  return actor.kind === "service" && actor.roles.includes(role);
}

/** How the actor is called in logs and in the history of a resource. */
export function nameOf(actor: Actor): string {
  return actor.kind === "user" ? actor.userId : actor.name;
}
