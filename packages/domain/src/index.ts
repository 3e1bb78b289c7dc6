export {
  type Actor,
  hasRole,
  nameOf,
  type Principal,
  principalOf,
  type Role,
  roles,
  type ServiceActor,
  tenantOf,
  tenantOfPrincipal,
  type UserActor,
} from "./actor.ts";
export { availableActions, isTerminal, type Lifecycle, nextState } from "./lifecycle.ts";
export { type Quota, Refusal, type RefusalExtras, type ResourceName, type Violation } from "./refusal.ts";
export { systemWorld, type World } from "./world.ts";
