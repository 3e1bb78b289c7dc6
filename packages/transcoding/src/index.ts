export { type Binding, BindingError, bindingsOf, type BodyRule } from "./binding.ts";
export type { FieldPath } from "./field-lookup.ts";
export type { Call, Invoker, StreamReply, UnaryReply } from "./invoker.ts";
export { createJsonWriter, type JsonDialect, type JsonWriteOptions, type JsonWriter } from "./json-writer.ts";
export type { NodeHandler, NodeRequest, NodeResponse } from "./node-http.ts";
export { overTransport, type TransportOptions } from "./over-transport.ts";
export {
  parsePathTemplate,
  type PathTemplate,
  PathTemplateError,
  type TemplateSegment,
  type TemplateVariable,
} from "./path-template.ts";
export { createRestHandler } from "./rest-handler.ts";
export type { RestOptions, RestService, StreamOptions } from "./rest-options.ts";
export { type Route, RouteConflictError } from "./route-trie.ts";
