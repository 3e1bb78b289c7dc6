export { type SyncCommand, type SyncCommandType } from "./command.ts";
export { encodeCommand, encodeEvent } from "./encode-frame.ts";
export { type SyncEvent, type SyncEventType, type TokenUsage, type ToolStatus, toolStatuses } from "./event.ts";
export { contentLengthMax, errorLengthMax, frameBytesMax, idLengthMax, labelLengthMax } from "./limits.ts";
export {
  type MalformedFrame,
  type ParsedCommand,
  type ParsedEvent,
  parseCommand,
  parseEvent,
  type UnknownFrame,
} from "./parse-frame.ts";
export { syncPath } from "./sync-path.ts";
