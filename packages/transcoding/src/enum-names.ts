import type { DescEnum } from "@bufbuild/protobuf";

/**
 * The short names of an enum: lower case, without the prefix that its values share by convention.
 * TASK_STATUS_PENDING of TaskStatus is "pending". The zero value called …_UNSPECIFIED stands for "not set".
 */
export interface EnumNames {
  /** Number by short name and by full name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Short name by full name. */
  readonly shortNames: ReadonlyMap<string, string>;
  /** Short names to tell a caller: all but the unspecified one. */
  readonly allowed: readonly string[];
  /** Full name of the zero value that means "not set", if there is one. */
  readonly unspecified: string | undefined;
}

const cache = new WeakMap<DescEnum, EnumNames>();

/** The names of an enum, worked out once. */
export function enumNamesOf(desc: DescEnum): EnumNames {
  let names = cache.get(desc);
  if (names === undefined) cache.set(desc, (names = createEnumNames(desc)));
  return names;
}

function createEnumNames(desc: DescEnum): EnumNames {
  const prefixLength = desc.sharedPrefix?.length ?? 0;
  const short = (name: string): string => name.slice(prefixLength).toLowerCase();
  const unspecified = desc.values.find(({ number, name }) => number === 0 && name.endsWith("_UNSPECIFIED"))?.name;
  return {
    numbers: new Map(
      desc.values.flatMap(({ name, number }) => [[short(name), number] as const, [name, number] as const]),
    ),
    shortNames: new Map(desc.values.map(({ name }) => [name, short(name)])),
    allowed: desc.values.filter(({ name }) => name !== unspecified).map(({ name }) => short(name)),
    unspecified,
  };
}
