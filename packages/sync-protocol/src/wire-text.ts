// Text from the wire
//
// JSON can carry what neither PostgreSQL nor protobuf can: NUL characters and lone surrogates (an editor that cuts a text
// between the halves of an emoji makes one). Every string is freed of both as it is read, so that nobody behind the parser
// has to think of it. Ids that are too long are an error, texts that are too long are cut: losing the end of a diff is
// better than losing the turn.
import { z } from "zod";
import { contentLengthMax, errorLengthMax, idLengthMax, labelLengthMax } from "./limits.ts";

const text = z.string().overwrite((value) => value.replaceAll("\0", "").toWellFormed());

/** An id that must be there. */
export const id = text.min(1).max(idLengthMax);

/** An id that may be missing: absent, `null` and `""` all read as `""`. */
export const idOrEmpty = text
  .max(idLengthMax)
  .nullish()
  .transform((value) => value ?? "");

/** An id that may be missing: absent, `null` and `""` all read as `null`. */
export const idOrNull = text
  .max(idLengthMax)
  .nullish()
  .transform((value) => (value ? value : null));

/** A name, a title or a label; `""` where there is none. */
export const label = text.nullish().transform((value) => cut(value ?? "", labelLengthMax));

/** A name or a title; `null` where there is none, which is something else than `""`. */
export const labelOrNull = text
  .nullish()
  .transform((value) => (typeof value === "string" ? cut(value, labelLengthMax) : null));

/** What went wrong, in words. */
export const errorText = text.nullish().transform((value) => cut(value ?? "", errorLengthMax));

/** The text of an entry. */
export const content = text.transform((value) =>
  value.length <= contentLengthMax
    ? value
    : `${cut(value, contentLengthMax)}\n\n[${value.length - contentLengthMax} more characters]`,
);

/** What is said to an agent: never cut, an agent told half of it would do something else. */
export const prompt = text;

function cut(value: string, length: number): string {
  return value.length <= length ? value : value.slice(0, length).toWellFormed();
}
