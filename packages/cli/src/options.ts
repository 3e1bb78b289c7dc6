import { InvalidArgumentError, Option } from "commander";

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** One of the values of an enum, by the name that the services store. */
export function enumOption(
  flags: string,
  description: string,
  names: Readonly<Record<string, string | number>>,
): Option {
  const values = new Map<string, number>();
  for (const [name, number] of Object.entries(names)) {
    if (typeof number === "number" && number !== 0) values.set(name.toLowerCase(), number);
  }
  const option = new Option(flags, `${description}: ${[...values.keys()].join(", ")}`);
  return option.argParser((text: string) => {
    const value = values.get(text.toLowerCase());
    if (value === undefined) throw new InvalidArgumentError(`It must be one of ${[...values.keys()].join(", ")}.`);
    return value;
  });
}

/** How many rows a list shows. */
export function limitOption(): Option {
  return new Option("--limit <count>", "how many to show at most").argParser(wholeNumber(1, 100_000)).default(50);
}
