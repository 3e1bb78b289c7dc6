/** One of the things that an Accept or Accept-Encoding header lists. */
export interface AcceptRange {
  readonly type: string;
  readonly quality: number;
}

/**
 * The media type to answer with: of those offered, the one that an Accept header likes best; at equal liking the one
 * offered first. undefined: it accepts none of them.
 */
export function negotiate(accept: string | undefined, offered: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === "") return offered[0];
  const ranges = parseRanges(accept);
  const liked = offered
    .map((type) => ({ type, quality: qualityOf(type, ranges) }))
    .filter(({ quality }) => quality > 0)
    .toSorted((left, right) => right.quality - left.quality);
  return liked[0]?.type;
}

/** Reads an Accept or Accept-Encoding header. */
export function parseRanges(header: string): AcceptRange[] {
  return header.split(",").map(parseRange);
}

function parseRange(text: string): AcceptRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { type, quality: quality === undefined ? 1 : Number(quality) || 0 };
}

// The most specific range decides, so that "text/*, text/html;q=0" refuses HTML.
function qualityOf(type: string, ranges: readonly AcceptRange[]): number {
  const candidates = [type, `${type.slice(0, type.indexOf("/"))}/*`, "*/*"];
  for (const candidate of candidates) {
    const range = ranges.find((each) => each.type === candidate);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
