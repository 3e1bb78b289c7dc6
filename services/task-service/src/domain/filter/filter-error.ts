/** What is wrong with a filter or an order, and where: positions count characters from 1. */
export class FilterError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(`position ${at}: ${message}`);
    this.name = "FilterError";
    this.at = at;
  }
}
