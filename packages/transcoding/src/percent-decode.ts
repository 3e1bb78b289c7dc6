/** Decodes percent escapes once, as UTF-8; undefined when an escape is malformed or not UTF-8. "+" stays a plus. */
export function percentDecode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Decodes like {@link percentDecode}, but leaves an escaped slash escaped (as `%2F`), so that it never splits a value. */
export function percentDecodeExceptSlash(text: string): string | undefined {
  const parts = text.split(/%2f/i).map(percentDecode);
  return parts.includes(undefined) ? undefined : parts.join("%2F");
}
