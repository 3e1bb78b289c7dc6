/** The resources of one kind that a watch has shown, by id. During a snapshot the old ones stay until it is complete. */
export class ResourceTable<Resource extends { readonly id: string }> {
  #rows: ReadonlyMap<string, Resource> = new Map();
  /** What the snapshot has shown so far; `null` outside of one. */
  #snapshot: Map<string, Resource> | null = null;

  /** As they are, in the order in which they were first shown. The same object until something changes. */
  get rows(): ReadonlyMap<string, Resource> {
    return this.#rows;
  }

  /** A snapshot begins. */
  begin(): void {
    this.#snapshot = new Map();
  }

  /** The snapshot is complete: what it did not show is gone. */
  complete(): void {
    if (this.#snapshot === null) return;
    this.#rows = this.#snapshot;
    this.#snapshot = null;
  }

  /** A resource is new or has changed. */
  put(resource: Resource): void {
    this.#edit((rows) => rows.set(resource.id, resource));
  }

  /** A resource is gone. */
  drop(id: string): void {
    this.#edit((rows) => rows.delete(id));
  }

  #edit(edit: (rows: Map<string, Resource>) => unknown): void {
    if (this.#snapshot !== null) {
      edit(this.#snapshot);
      return;
    }
    const rows = new Map(this.#rows);
    edit(rows);
    this.#rows = rows;
  }
}
