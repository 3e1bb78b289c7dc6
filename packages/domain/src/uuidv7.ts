// UUIDs of version 7 (RFC 9562)
//
//    48 bits          4      12 bits      2      62 bits
//   | Unix time, ms | 0111 | counter    | 10 | random        |
//
// Time first makes keys of new rows neighbours in an index. Within one process the ids also rise strictly (RFC 9562,
// section 6.2, method 1): the counter starts at a random value in the lower half of its range each millisecond and goes
// up by one for each id; when it runs out, or the clock steps back, the time last used is carried on.

const COUNTER_MAX = 0xfff;

/** Where the bits come from. */
export interface UuidSource {
  nowMs(): number;
  /** `count` random bytes. */
  randomBytes(count: number): Uint8Array;
}

/** A generator of strictly rising UUIDs, as 32 hexadecimal digits without dashes. */
export function createUuidv7(source: UuidSource): () => string {
  let timeMs = -1;
  let counter = 0;
  return () => {
    const bytes = source.randomBytes(10);
    const nowMs = source.nowMs();
    if (nowMs > timeMs) {
      timeMs = nowMs;
      counter = seed(bytes);
    } else if (counter < COUNTER_MAX) {
      counter++;
    } else {
      timeMs++;
      counter = seed(bytes);
    }
    return hex(timeMs, 12) + hex(0x7000 | counter, 4) + variant(bytes);
  };
}

function seed(bytes: Uint8Array): number {
  return (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) & (COUNTER_MAX >> 1);
}

/** Two digits for each byte: quicker than a buffer for eight of them. */
const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => hex(byte, 2));

function variant(bytes: Uint8Array): string {
  let digits = DIGITS[((bytes[2] ?? 0) & 0x3f) | 0x80] ?? "";
  for (let at = 3; at < 10; at++) digits += DIGITS[bytes[at] ?? 0] ?? "";
  return digits;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
