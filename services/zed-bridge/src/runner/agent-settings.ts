import {
  PermissionPolicy as WirePermissionPolicy,
  type WorkSession,
} from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import type { PermissionPolicy } from "@helix-zed/sync-protocol";
import type { AgentSettings } from "../domain/thread-mapping.ts";

const policies: Readonly<Record<WirePermissionPolicy, PermissionPolicy | null>> = {
  [WirePermissionPolicy.UNSPECIFIED]: null,
  [WirePermissionPolicy.ALLOW]: "allow",
  [WirePermissionPolicy.ASK]: "ask",
  [WirePermissionPolicy.REJECT]: "reject",
};

/** How a work session wants its agent to be set up. */
export function agentSettingsOf({ agentConfig }: WorkSession): AgentSettings {
  const { model = "", mode = "", permissionPolicy = WirePermissionPolicy.UNSPECIFIED } = agentConfig ?? {};
  // A newer task-service may know a policy that is none here.
  return { model: model || null, mode: mode || null, permissionPolicy: policies[permissionPolicy] ?? null };
}
