export { bearer, type TokenSource } from "./bearer.ts";
export { type Client, type ClientOptions, clientOver, interceptorsOf } from "./client.ts";
export { type Clock, systemClock } from "./clock.ts";
export { errorCode } from "./error-code.ts";
export {
  liveTasks,
  liveThread,
  LiveView,
  liveWorkSessions,
  type Shown,
  type TaskRows,
  type ThreadRows,
  type WorkSessionRows,
} from "./live-view.ts";
export { tellLostConnection } from "./lost-connection.ts";
export { resumeWatch, type ResumeWatchOptions, type WatchEvent } from "./resume-watch.ts";
export { retry, type RetryOptions } from "./retry.ts";
export { isTaskOver, isTurnOver, isWorkSessionOver, waitForTask, waitForTurn, waitForWorkSession } from "./wait-for.ts";
export { type FollowedEvent, Watch, type WatchMessage, type WatchOptions } from "./watch.ts";
export { isOver, type WatchAction, watchLifecycle, type WatchState } from "./watch-lifecycle.ts";
export type { WatchStatus } from "./watch-status.ts";
