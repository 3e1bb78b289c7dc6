import { describe, expect, test } from "vitest";
import type { Change } from "./change.ts";
import { LogReader } from "./log-reader.ts";

const PAGE = 3;

/** A log of numbers, of which some are the reader's. */
class OwnLog {
  readonly reads: number[] = [];
  readonly #own: number[] = [];
  epoch = "one";
  floor = 0;
  head = 0;
  readonly reader = new LogReader(
    { bounds: () => ({ epoch: this.epoch, head: this.head, floor: this.floor }), page: (after) => this.#page(after) },
    "t",
    () => {},
  );

  add(isOwn: boolean): void {
    this.head++;
    if (!isOwn) return;
    this.#own.push(this.head);
    this.reader.hear(this.head - 1);
  }

  async read(seq: number): Promise<{ seqs: number[]; upTo: number }> {
    const { changes, upTo } = await this.reader.read({ epoch: "one", seq });
    return { seqs: changes.map((change) => change.seq), upTo };
  }

  async #page(after: number) {
    this.reads.push(after);
    if (after < this.floor) return "gone" as const;
    const seqs = this.#own.filter((seq) => seq > after).slice(0, PAGE);
    const before = { status: "pending", taskType: "batch" };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a reader looks at numbers only
    const changes = seqs.map((seq) => ({ seq, id: seq, tenant: "t", before }) as unknown as Change);
    return { changes, upTo: seqs.length === PAGE ? (seqs.at(-1) ?? after) : this.head };
  }
}

describe("a reader of the log", () => {
  test("does not look where only others had something", async () => {
    const log = new OwnLog();
    for (let count = 0; count < 10_000; count++) log.add(false);
    expect(await log.read(0)).toEqual({ seqs: [], upTo: 10_000 });
    expect(log.reads).toEqual([]);
  });

  test("looks right before what it heard of, and gives everything from there, page by page", async () => {
    const log = new OwnLog();
    for (let count = 0; count < 100; count++) log.add(false);
    for (let count = 0; count < 5; count++) log.add(true);
    expect(await log.read(0)).toEqual({ seqs: [101, 102, 103], upTo: 103 });
    expect(await log.read(103)).toEqual({ seqs: [104, 105], upTo: 105 });
    expect(await log.read(105)).toEqual({ seqs: [], upTo: 105 });
    expect(log.reads).toEqual([100, 103]);
  });

  test("is told that the log does not reach back so far, or is another one", async () => {
    const log = new OwnLog();
    log.add(true);
    log.add(true);
    log.floor = 1;
    await expect(log.read(0)).rejects.toMatchObject({ reason: "RESUME_TOKEN_EXPIRED", metadata: { oldest: "1" } });
    log.epoch = "two";
    await expect(log.read(1)).rejects.toMatchObject({ reason: "RESUME_TOKEN_FROM_ANOTHER_LOG" });
  });
});
