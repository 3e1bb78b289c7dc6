export { type PermissionPolicy, permissionPolicies, type SyncCommand, type SyncCommandType } from "./command.ts";
export { encodeCommand, encodeEvent } from "./encode-frame.ts";
export {
  type PermissionOptionKind,
  permissionOptionKinds,
  type PermissionOutcome,
  permissionOutcomes,
  type SyncEvent,
  type SyncEventType,
  type TokenUsage,
  type ToolStatus,
  toolStatuses,
} from "./event.ts";
export { contentLengthMax, errorLengthMax, frameBytesMax, idLengthMax, labelLengthMax } from "./limits.ts";
export type { McpServer } from "./mcp-server.ts";
export {
  EventReader,
  type MalformedFrame,
  type ParsedCommand,
  type ParsedEvent,
  parseCommand,
  parseEvent,
  type ReadEvents,
  type UnknownFrame,
} from "./parse-frame.ts";
export { maskSessionTokens, sessionTokenPrefix } from "./session-token.ts";
export { sumOfUsages } from "./sum-of-usages.ts";
export { syncPath } from "./sync-path.ts";
