import type { DescMessage, Message } from "@bufbuild/protobuf";
import { createJsonWriter } from "@helix-zed/transcoding";
import { cut, terminalLine, terminalText } from "./terminal-text.ts";

/** Where output goes. */
export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** The width of the terminal in characters. */
  readonly columns: number;
}

/** A column of a table. The last one takes what room there is. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
}

const GAP = "  ";
const writeJson = createJsonWriter({ dialect: "plain", emitDefaults: true });

/** Writes results: as tables and text for people, or as JSON for programs, a line each, spelled as REST does. */
export class Output {
  readonly #sink: Sink;
  readonly asJson: boolean;

  constructor(sink: Sink, { json }: { readonly json: boolean }) {
    this.#sink = sink;
    this.asJson = json || !sink.isTerminal;
  }

  /** One resource: all that is known about it for programs, its columns one below the other for people. */
  resource<Row extends Message>(desc: DescMessage, row: Row, columns: readonly Column<Row>[]): void {
    if (this.asJson) {
      this.json(desc, row);
      return;
    }
    const width = Math.max(...columns.map(({ title }) => title.length));
    for (const { title, value } of columns) this.line(`${title.padEnd(width)}${GAP}${terminalText(value(row))}`);
  }

  /** Any number of resources. */
  resources<Row extends Message>(desc: DescMessage, rows: readonly Row[], columns: readonly Column<Row>[]): void {
    if (this.asJson) {
      for (const row of rows) this.json(desc, row);
      return;
    }
    const cells = rows.map((row) => columns.map(({ value }) => terminalLine(value(row))));
    const widths = columns.map(({ title }, index) =>
      Math.max(title.length, ...cells.map((row) => (row[index] ?? "").length)),
    );
    for (const row of [columns.map(({ title }) => title), ...cells])
      this.line(tableLine(row, widths, this.#sink.columns));
  }

  /** One change of a resource: a line, as in a table without a head. */
  change<Row extends Message>(desc: DescMessage, row: Row, columns: readonly Column<Row>[]): void {
    if (this.asJson) this.json(desc, row);
    else this.line(cut(columns.map(({ value }) => terminalLine(value(row))).join(GAP), this.#sink.columns));
  }

  /** Text for people; nothing for programs. */
  text(text: string): void {
    if (!this.asJson) this.line(terminalText(text));
  }

  /** Text as it is, without the end of a line. */
  raw(text: string): void {
    this.#sink.write(text);
  }

  /** A line as it is. */
  line(line: string): void {
    this.#sink.write(`${line}\n`);
  }

  /** A message as one line of JSON. */
  json(desc: DescMessage, message: Message): void {
    this.line(JSON.stringify(writeJson(desc, message)));
  }
}

function tableLine(cells: readonly string[], widths: readonly number[], columns: number): string {
  const line = cells.map((cell, index) => (index === cells.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)));
  return cut(line.join(GAP).trimEnd(), columns);
}
