/** One thing wrong with one field of a request. */
export interface Violation {
  /** Path of the field in the request, in the spelling of the proto: `work_sessions[0].name`. */
  readonly field: string;
  readonly description: string;
}

/** The resource that a refusal is about. */
export interface ResourceName {
  /** Its kind, as the contract calls it: `Task`. */
  readonly type: string;
  readonly name: string;
}

/** A limit that was reached. */
export interface Quota {
  /** Whose: `user:ada`. */
  readonly subject: string;
  readonly description: string;
}

/** What a refusal may say beyond its reason. */
export interface RefusalExtras {
  readonly violations?: readonly Violation[];
  readonly resource?: ResourceName;
  readonly quota?: Quota;
  /** After how many milliseconds it makes sense to try again. */
  readonly retryAfterMs?: number;
}

/** Something we decline to do: expected, explainable, and safe to show to whoever asked. */
export class Refusal<Reason extends string = string> extends Error {
  readonly reason: Reason;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
  readonly resource: ResourceName | undefined;
  readonly quota: Quota | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    metadata: Readonly<Record<string, string>> = {},
    extras: RefusalExtras = {},
  ) {
    super(message);
    this.name = "Refusal";
    this.reason = reason;
    this.metadata = metadata;
    this.violations = extras.violations ?? [];
    this.resource = extras.resource;
    this.quota = extras.quota;
    this.retryAfterMs = extras.retryAfterMs;
  }
}
