export {
  type Authenticate,
  type Authentication,
  bearerAuthenticator,
  bearerToken,
  type Credentials,
  organizationIdHeader,
  tokenAuthenticator,
  userIdHeader,
} from "./authenticate.ts";
export { actorOf, requestIdOf } from "./call.ts";
export {
  type Environment,
  EnvironmentError,
  needing,
  optional,
  type Parser,
  type Read,
  readEnvironment,
  required,
  type Setting,
  withDefault,
} from "./environment.ts";
export { errorDomain } from "./error-details.ts";
export { type Fallback, notFoundFallback } from "./fallback.ts";
export { type HealthCheck, HealthState } from "./health.ts";
export { createLog, type Log, type LogLevel, logLevels } from "./log.ts";
export type { ReasonCodes } from "./map-errors.ts";
export { OnePort, type OnePortOptions, PortError, type UpgradeListener } from "./one-port.ts";
export { assertPrivate, choice, integer, list, path, pathList, port, secretFile, text, url } from "./parsers.ts";
export { requestIdHeader } from "./request-id.ts";
export { isJwt, type JwtOptions, type JwtSurroundings, JwtVerifier, type VerifiedJwt } from "./jwt-verifier.ts";
export { type NodeHandlerFn, type NodeRequest, type NodeResponse, pathOf } from "./node-handler.ts";
export {
  type AuthenticationSettings,
  authenticationSettings,
  type OpenAuthentication,
  openAuthentication,
  type TokensFile,
} from "./open-authentication.ts";
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
export { serviceSettings, type ServiceSettings } from "./service-settings.ts";
export { actingFor, createServiceTransport, type ServiceTransportOptions } from "./service-transport.ts";
export { hashToken, type LiveToken, TokenList } from "./token-list.ts";
export { type KnownToken, readTokensFile, type TokenOwner, TokensFileError } from "./tokens-file.ts";
export { UpstreamError } from "./upstream-error.ts";
