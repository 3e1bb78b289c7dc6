import { type Lifecycle, nextState } from "@helix-zed/domain";
import { defineEntity, type OptionalProps, p } from "@mikro-orm/core";

/** How a process is started: `external` ones are started by somebody else. */
export type LaunchTarget = "acp-host" | "zed-headless" | "zed" | "external";

/**
 * Whether what it starts keeps its events until it has a receipt for them, and takes a prompt that comes again once. A real
 * editor does neither: it loses the event in hand when its socket breaks, and makes two turns of two prompts.
 */
export function losesNoEvent(target: LaunchTarget): boolean {
  return target === "acp-host";
}

/** What somebody wants of an instance. */
export type DesiredState = "running" | "stopped";

/** Where a process stands. */
export type InstanceStatus = "starting" | "running" | "restarting" | "stopped" | "failed";

/** What may happen to a process. */
export type InstanceAction = "want" | "launch" | "connect" | "lose" | "stop" | "give_up";

/** Every action in every status; `null` where nothing follows from it. */
export const instanceLifecycle: Lifecycle<InstanceStatus, InstanceAction> = {
  starting: {
    want: null,
    launch: "starting",
    connect: "running",
    lose: "restarting",
    stop: "stopped",
    give_up: "failed",
  },
  running: {
    want: null,
    launch: "starting",
    connect: "running",
    lose: "restarting",
    stop: "stopped",
    give_up: "failed",
  },
  restarting: {
    want: null,
    launch: "starting",
    connect: "running",
    lose: "restarting",
    stop: "stopped",
    give_up: "failed",
  },
  stopped: { want: "starting", launch: null, connect: null, lose: null, stop: null, give_up: null },
  failed: { want: "starting", launch: null, connect: null, lose: null, stop: "stopped", give_up: null },
};

const ZedInstanceSchema = defineEntity({
  name: "ZedInstance",
  tableName: "zed_instances",
  properties: {
    id: p.string().primary(),
    /** What it was adopted with; `null`: it presents its id. */
    presentedId: p.string().strictNullable(),
    tenant: p.string(),
    userId: p.string(),
    organizationId: p.string(),
    taskId: p.string(),
    workingDirectory: p.text(),
    launchTarget: p.string().$type<LaunchTarget>(),
    /** The bridge that runs it; empty until one does. */
    runner: p.string(),
    /** SHA-256 of the token of the present launch, hexadecimal. */
    tokenHash: p.string().strictNullable(),
    /** Whether that token is good no more. The hash is kept: what the process writes may still hold the token. */
    tokenRevoked: p.boolean(),
    desired: p.string().$type<DesiredState>(),
    status: p.string().$type<InstanceStatus>(),
    statusReason: p.text(),
    pid: p.integer().strictNullable(),
    /** When the kernel says that the process began: tells it from a later one with the same pid. */
    pidStartedAt: p.text().strictNullable(),
    /** How often it was launched: the number of the present launch. */
    launchCount: p.integer(),
    restartCount: p.integer(),
    /** When it ended by itself lately, milliseconds since 1970: what the restart budget is counted from. */
    recentExits: p.json().$type<number[]>(),
    nextLaunchAt: p.datetime().strictNullable(),
    lastLogLines: p.json().$type<string[]>(),
    /** Counts its connections: only the newest is listened to. */
    linkEpoch: p.integer(),
    connected: p.boolean(),
    connectedAt: p.datetime().strictNullable(),
    linkLostAt: p.datetime().strictNullable(),
    /** The connection in which the editor last said that it is ready. */
    readyEpoch: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    startedAt: p.datetime().strictNullable(),
    /** Hidden from callers: its task does not exist any more. */
    deletedAt: p.datetime().strictNullable(),
  },
});

/** A process that holds threads, and what is wanted of it. */
export class ZedInstance extends ZedInstanceSchema.class {
  declare [OptionalProps]?: "external";

  /** Whether somebody else starts it. */
  get external(): boolean {
    return this.launchTarget === "external";
  }

  /** The one place where an instance's status changes. Returns whether the action meant anything in its status. */
  move(action: InstanceAction, { now, reason = "" }: { readonly now: Date; readonly reason?: string }): boolean {
    const next = nextState(instanceLifecycle, this.status, action);
    if (next === null) return false;
    this.status = next;
    this.statusReason = reason;
    this.updatedAt = now;
    return true;
  }
}
ZedInstanceSchema.setClass(ZedInstance);
