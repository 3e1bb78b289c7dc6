// The tokens with which agents call us
//
// A token begins with a word of its own, so that one which turns up where it should not can be recognised by anybody who
// stores or logs text, without knowing which tokens there are. What follows is 256 bits in base64url.

/** What every agent's token begins with. */
export const sessionTokenPrefix = "hzs_";

/** Every agent's token, wherever it stands in a text. */
const sessionToken = /hzs_[\w-]{43}/g;

/** The text with every agent's token masked. */
export function maskSessionTokens(text: string): string {
  return text.includes(sessionTokenPrefix) ? text.replaceAll(sessionToken, "[redacted]") : text;
}
