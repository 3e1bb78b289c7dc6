// Was that watch right?
//
// Writers tell what they committed, a watcher tells what it saw; this compares the two and lists every broken promise:
//
//   filtered             what does not match is never shown; what stops matching is shown as deleted
//   ordered, unique      each resource is shown with rising versions, each version once
//   reliable             nothing in between is left out, and nothing at the end
//   causal               what a writer did first is shown first
//   atomic               what one transaction did is shown side by side
//   snapshot-consistent  the snapshot holds all of a transaction or nothing of it, and nothing without what came before
//
// It knows nothing of sequence numbers, tokens or tables, so it can judge any log, also a broken one.

/** What a watcher saw, in its order. Progress is of no interest here. */
export type Seen =
  | { readonly kind: "changed"; readonly id: string; readonly version: number }
  | { readonly kind: "deleted"; readonly id: string }
  | { readonly kind: "synced" };

/** One resource as one transaction left it. */
export interface CommittedChange {
  readonly id: string;
  /** Rises by one with each change of the resource, from 1. */
  readonly version: number;
  /** Whether the watch is to show this version; false also for a resource that was deleted. */
  readonly matches: boolean;
}

/** One transaction, by whoever committed it. */
export interface Committed {
  readonly changes: readonly CommittedChange[];
  /** Who did it, and as the how-many-th thing; left out where nobody's order is known. */
  readonly writer?: { readonly name: string; readonly step: number };
}

/** A version that a watch shows, the transaction that made it, and where it was seen. */
interface Showing {
  readonly id: string;
  readonly version: number;
  readonly isDeletion: boolean;
  readonly transaction: Committed;
}

/** Where a version was seen: in the snapshot, or as the how-many-th event after it. */
type Place = "snapshot" | number;

/** Everything that is wrong with what a watcher saw; nothing for a watch that kept its promises. */
export function problemsOf(seen: readonly Seen[], committed: readonly Committed[]): string[] {
  const history = new WatchHistory(committed);
  return history.judge(seen);
}

class WatchHistory {
  readonly #committed: readonly Committed[];
  /** Every version of every resource, oldest first. */
  readonly #versions = new Map<string, (CommittedChange & { readonly transaction: Committed })[]>();
  readonly #places = new Map<Committed, Place[]>();
  readonly #problems: string[] = [];

  constructor(committed: readonly Committed[]) {
    this.#committed = committed;
    for (const transaction of committed) {
      for (const change of transaction.changes) {
        const versions = this.#versions.get(change.id) ?? [];
        this.#versions.set(change.id, [...versions, { ...change, transaction }]);
      }
    }
    for (const versions of this.#versions.values()) versions.sort((a, b) => a.version - b.version);
  }

  judge(seen: readonly Seen[]): string[] {
    const synced = seen.findIndex(({ kind }) => kind === "synced");
    if (synced === -1) return ["the snapshot was never complete"];
    const shown = this.#judgeSnapshot(seen.slice(0, synced));
    this.#judgeEvents(seen.slice(synced + 1), shown);
    this.#judgeAtomicity();
    this.#judgeCausality();
    return this.#problems;
  }

  /** Gives the last version of each resource that the snapshot covers. */
  #judgeSnapshot(seen: readonly Seen[]): Map<string, number> {
    const shown = new Map<string, number>();
    for (const event of seen) {
      if (event.kind !== "changed") {
        this.#problems.push(`the snapshot says ${event.kind}`);
        continue;
      }
      if (shown.has(event.id)) this.#problems.push(`the snapshot shows ${event.id} twice`);
      shown.set(event.id, event.version);
      for (const version of this.#versions.get(event.id) ?? []) {
        if (version.version > event.version) break;
        this.#place(version.transaction, "snapshot");
        if (version.version === event.version && !version.matches) {
          this.#problems.push(`the snapshot shows ${event.id}@${event.version}, which does not match`);
        }
      }
    }
    return shown;
  }

  #judgeEvents(seen: readonly Seen[], snapshot: ReadonlyMap<string, number>): void {
    const next = new Map([...this.#versions.keys()].map((id) => [id, this.#showings(id, snapshot.get(id))]));
    for (const [place, event] of seen.entries()) {
      if (event.kind === "synced") this.#problems.push("the snapshot was complete twice");
      else this.#judgeEvent(event, place, next, snapshot.has(event.id));
    }
    for (const [id, left] of next) {
      // Of a resource that was never shown nothing may be due; it may have come and gone before the snapshot.
      const wasShown = snapshot.has(id) || left.length < this.#showings(id, undefined).length;
      const isDue = wasShown ? left.length > 0 : left.at(-1)?.isDeletion === false;
      if (isDue) this.#problems.push(`never showed ${left.map(name).join(", ")}`);
    }
  }

  #judgeEvent(
    event: Exclude<Seen, { kind: "synced" }>,
    place: number,
    next: Map<string, Showing[]>,
    wasInSnapshot: boolean,
  ) {
    const due = next.get(event.id) ?? [];
    const index = due.findIndex((showing) => isOf(showing, event));
    const said = event.kind === "changed" ? `${event.id}@${event.version}` : `${event.id} deleted`;
    if (index === -1) {
      this.#problems.push(`showed ${said} although it was not due (again, too late, or not matching)`);
      return;
    }
    const skipped = due.slice(0, index);
    // What came before the first showing of a resource was before the snapshot, if it was invisible then.
    const mayBeBefore = (): boolean =>
      !wasInSnapshot &&
      skipped.at(-1)?.isDeletion === true &&
      due.length === this.#showings(event.id, undefined).length;
    if (skipped.length > 0 && !mayBeBefore()) {
      this.#problems.push(`left out ${skipped.map(name).join(", ")} before ${said}`);
    }
    const showing = due[index];
    if (showing !== undefined) this.#place(showing.transaction, place);
    next.set(event.id, due.slice(index + 1));
  }

  /** What a watch must show of a resource after it showed a version: what matches, and each end of matching. */
  #showings(id: string, after: number | undefined): Showing[] {
    const showings: Showing[] = [];
    let matched = false;
    for (const { version, matches, transaction } of this.#versions.get(id) ?? []) {
      if (matches || matched) showings.push({ id, version, isDeletion: !matches, transaction });
      matched = matches;
    }
    return after === undefined ? showings : showings.filter(({ version }) => version > after);
  }

  #place(transaction: Committed, place: Place): void {
    const places = this.#places.get(transaction);
    if (places === undefined) this.#places.set(transaction, [place]);
    else places.push(place);
  }

  #judgeAtomicity(): void {
    for (const [transaction, places] of this.#places) {
      const events = places.filter((place) => place !== "snapshot");
      if (events.length > 0 && events.length < places.length) {
        this.#problems.push(`the snapshot holds a part of ${describe(transaction)}`);
      }
      if (events.length > 0 && Math.max(...events) - Math.min(...events) !== events.length - 1) {
        this.#problems.push(`something was shown in the middle of ${describe(transaction)}`);
      }
    }
  }

  #judgeCausality(): void {
    const steps = this.#committed.filter(({ writer }) => writer !== undefined);
    const writers = Map.groupBy(steps, ({ writer }) => writer?.name);
    for (const transactions of writers.values()) {
      const inOrder = transactions.toSorted((a, b) => (a.writer?.step ?? 0) - (b.writer?.step ?? 0));
      let last = -1;
      for (const transaction of inOrder) {
        const places = this.#places.get(transaction) ?? [];
        const first = Math.min(...places.map((place) => (place === "snapshot" ? -1 : place)));
        if (first < last) this.#problems.push(`${describe(transaction)} was shown before what its writer did earlier`);
        last = Math.max(last, ...places.map((place) => (place === "snapshot" ? -1 : place)));
      }
    }
  }
}

function isOf(showing: Showing, event: Exclude<Seen, { kind: "synced" }>): boolean {
  return event.kind === "deleted" ? showing.isDeletion : !showing.isDeletion && showing.version === event.version;
}

function name({ id, version, isDeletion }: Showing): string {
  return isDeletion ? `${id} deleted` : `${id}@${version}`;
}

function describe({ changes }: Committed): string {
  return `the transaction of ${changes.map(({ id, version }) => `${id}@${version}`).join(" and ")}`;
}
