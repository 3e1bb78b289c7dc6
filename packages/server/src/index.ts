export {
  type Authenticate,
  bearerToken,
  hashToken,
  organizationIdHeader,
  tokenAuthenticator,
  userIdHeader,
} from "./authenticate.ts";
export { actorOf, requestIdOf } from "./call.ts";
export {
  type Environment,
  EnvironmentError,
  optional,
  type Parser,
  type Read,
  readEnvironment,
  required,
  type Setting,
  withDefault,
} from "./environment.ts";
export { errorDomain } from "./error-details.ts";
export type { Fallback } from "./fallback.ts";
export { type HealthCheck, HealthState } from "./health.ts";
export { createLog, type Log, type LogLevel, logLevels } from "./log.ts";
export type { ReasonCodes } from "./map-errors.ts";
export { OnePort, type OnePortOptions, PortError, type UpgradeListener } from "./one-port.ts";
export { assertPrivate, choice, integer, list, path, pathList, port, secretFile, text, url } from "./parsers.ts";
export { requestIdHeader } from "./request-id.ts";
export { type NodeHandlerFn, type NodeRequest, type NodeResponse, pathOf } from "./node-handler.ts";
export { type Outside, runService, type ServiceDefinition, type ServiceParts } from "./run-service.ts";
export {
  callTimeoutMsMax,
  messageBytesMax,
  serve,
  type ServeOptions,
  type Server,
  stopGraceMs,
  unaryTimeoutMsMax,
} from "./serve.ts";
export { type ServerReason, serverCodes } from "./server-reasons.ts";
export { serviceSettings, type ServiceSettings, tokensSetting } from "./service-settings.ts";
export { actingFor, createServiceTransport, type ServiceTransportOptions } from "./service-transport.ts";
export { type KnownToken, readTokensFile, type TokenOwner, TokensFileError } from "./tokens-file.ts";
export { UpstreamError } from "./upstream-error.ts";
