// Environment
//
// A service names its settings once, each with the variable that it comes from and how it is read:
//
//    const settings = {
//      port: withDefault("HELIX_ZED_PORT", port(), 8081),
//      databaseUrl: required("DATABASE_URL", url("postgres", "postgresql")),
//    };
//    const { port, databaseUrl } = readEnvironment(process.env, settings);
//
// Reading gives every setting with its type, or throws one error with every problem. An empty variable counts as absent.
// A HELIX_ZED_ variable that no setting knows is a problem too: most often it is a misspelt one.

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the text of a variable; throws an `Error` that says what was expected: "must be …". */
export type Parser<T> = (text: string) => T;

/** One setting: its variable, how it is read, and what it is when absent. */
export interface Setting<T> {
  readonly variable: string;
  readonly parse: Parser<T>;
  /** Gives the value of an absent variable; throws if there must be one. */
  readonly absent: () => T;
  /** Variables that must be set too where this one is. */
  readonly needs?: readonly string[];
}

/** What reading `Settings` gives. */
export type Read<Settings> = { readonly [Name in keyof Settings]: Settings[Name] extends Setting<infer T> ? T : never };

/** Everything that is wrong with an environment. */
export class EnvironmentError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.name = "EnvironmentError";
    this.problems = problems;
  }
}

/** A setting that must be given. */
export function required<T>(variable: string, parse: Parser<T>): Setting<T> {
  return { variable, parse, absent: mustBeSet };
}

function mustBeSet(): never {
  throw new Error("must be set");
}

/** A setting that may be left out, and what it is then. */
export function withDefault<T>(variable: string, parse: Parser<T>, value: T): Setting<T> {
  return { variable, parse, absent: () => value };
}

/** A setting that may be left out, and is `null` then. */
export function optional<T>(variable: string, parse: Parser<T>): Setting<T | null> {
  return { variable, parse, absent: () => null };
}

/** The same setting, which makes sense only together with others. */
export function needing<T>(setting: Setting<T>, ...needs: readonly string[]): Setting<T> {
  return { ...setting, needs };
}

/** Reads all settings; throws an {@link EnvironmentError} that lists every problem. */
export function readEnvironment<Settings extends Readonly<Record<string, Setting<unknown>>>>(
  environment: Environment,
  settings: Settings,
): Read<Settings> {
  const problems = unknownVariables(environment, settings);
  const values = Object.entries(settings).map(([name, setting]) => {
    try {
      return [name, readSetting(environment, setting)];
    } catch (error) {
      problems.push(`${setting.variable} ${error instanceof Error ? error.message : String(error)}`);
      return [name, undefined];
    }
  });
  problems.push(...missingCompanions(environment, settings));
  if (problems.length > 0) throw new EnvironmentError(problems);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was read by the setting of its name
  return Object.fromEntries(values) as Read<Settings>;
}

function readSetting<T>(environment: Environment, { variable, parse, absent }: Setting<T>): T {
  const text = environment[variable] ?? "";
  return text === "" ? absent() : parse(text);
}

function missingCompanions(environment: Environment, settings: Readonly<Record<string, Setting<unknown>>>): string[] {
  const isSet = (variable: string): boolean => (environment[variable] ?? "") !== "";
  const missing = new Map<string, string>();
  for (const { variable, needs = [] } of Object.values(settings)) {
    if (!isSet(variable)) continue;
    for (const needed of needs) if (!isSet(needed) && !missing.has(needed)) missing.set(needed, variable);
  }
  return [...missing].map(([needed, variable]) => `${needed} must be set where ${variable} is`);
}

function unknownVariables(environment: Environment, settings: Readonly<Record<string, Setting<unknown>>>): string[] {
  const known = Object.values(settings).map(({ variable }) => variable);
  const unknown = Object.keys(environment).filter((name) => name.startsWith("HELIX_ZED_") && !known.includes(name));
  return unknown.toSorted().map((name) => {
    const near = nearest(name, known);
    return `${name} is not a setting of this service${near === null ? "" : `: did you mean ${near}?`}`;
  });
}

const SUGGESTION_DISTANCE_MAX = 4;

function nearest(name: string, candidates: readonly string[]): string | null {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= SUGGESTION_DISTANCE_MAX)
    .toSorted((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate ?? null;
}

/** How many letters must be put in, taken out or changed to get from one word to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(from).entries()) {
    let left = i + 1;
    const next = [left];
    for (const [j, other] of Array.from(to).entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1);
      left = Math.min(left + 1, (row[j + 1] ?? 0) + 1, change);
      next.push(left);
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
