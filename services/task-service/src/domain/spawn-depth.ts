import type { WorkSessionFacts } from "./work-session.ts";

/** Where a work session comes from: split off another, asked for by another's Helix session, both, or neither. */
export type Spawn = Pick<WorkSessionFacts, "parentWorkSessionId" | "spawnedBySessionId">;

type Sibling = Spawn & Pick<WorkSessionFacts, "id" | "helixSessionId">;

/**
 * From how many work sessions one descends: 0 for one that a person or the coordinator asked for. Where the parent and the
 * asker are not one, the longer line counts. What a session descends from is always older, so the lines end.
 */
export function spawnDepthOf(spawn: Spawn, siblings: readonly Sibling[]): number {
  const depths = new Map<string, number>();
  const depthOf = ({ parentWorkSessionId, spawnedBySessionId }: Spawn): number => {
    const origins = siblings.filter(
      ({ id, helixSessionId }) => id === parentWorkSessionId || helixSessionId === spawnedBySessionId,
    );
    return Math.max(0, ...origins.map((origin) => 1 + depthOnce(origin)));
  };
  const depthOnce = (sibling: Sibling): number => {
    const depth = depths.get(sibling.id) ?? depthOf(sibling);
    depths.set(sibling.id, depth);
    return depth;
  };
  return depthOf(spawn);
}
