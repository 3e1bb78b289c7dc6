import { percentDecode } from "./percent-decode.ts";

/**
 * Path templates: the `get: "/v1/{name=shelves/*}:lend"` of a google.api.http annotation.
 *
 *     Template = "/" Segments [ Verb ] ;
 *     Segments = Segment { "/" Segment } ;
 *     Segment  = "*" | "**" | LITERAL | Variable ;
 *     Variable = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *     Verb     = ":" LITERAL ;
 *
 * `*` matches exactly one segment that is not empty, `**` any number of segments including none, and only as the last
 * part of the path. `{id}` is short for `{id=*}`. Variables do not nest. A literal may hold percent escapes; it is kept
 * decoded here, so that `%74asks` and `tasks` are one literal while `a%2Fb` is not two segments.
 */
export interface PathTemplate {
  /** The template as it was written. */
  readonly source: string;
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** What follows the last ":", decoded; undefined where the template has no verb. */
  readonly verb: string | undefined;
}

/** One part between two slashes: a decoded literal, exactly one segment, or all that is left. */
export type TemplateSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "rest" };

/** A field and the range of segments that it captures. */
export interface TemplateVariable {
  /** Field names from the request message inwards: `{book.name}` is `["book", "name"]`. */
  readonly fieldPath: readonly string[];
  /** Index of the first captured segment. */
  readonly start: number;
  /** Index behind the last captured segment; undefined: to the end of the path. */
  readonly end: number | undefined;
  /** May the value hold slashes? Then an escaped slash in the path stays escaped in the value. */
  readonly multiSegment: boolean;
}

/** A template that does not follow the grammar; `column` counts from 1. */
export class PathTemplateError extends Error {
  readonly template: string;
  readonly column: number;

  constructor(template: string, column: number, problem: string) {
    super(`path template "${template}", column ${column}: ${problem}`);
    this.name = "PathTemplateError";
    this.template = template;
    this.column = column;
  }
}

/** Parses a path template; throws PathTemplateError, which names the column. */
export function parsePathTemplate(source: string): PathTemplate {
  return new Parser(source).parse();
}

const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;
// RFC 3986 pchar without "*" and ":", which mean something here.
const literal = /(?:[A-Za-z0-9\-._~!$&'()+,;=@]|%[0-9A-Fa-f]{2})+/y;

class Parser {
  readonly #source: string;
  readonly #segments: TemplateSegment[] = [];
  readonly #variables: TemplateVariable[] = [];
  #position = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): PathTemplate {
    this.#expect("/");
    this.#parseSegments("path");
    const verb = this.#take(":") ? this.#parseLiteral("a verb") : undefined;
    if (this.#position < this.#source.length) throw this.#error(`unexpected ${this.#next()}`);
    return { source: this.#source, segments: this.#segments, variables: this.#variables, verb };
  }

  #parseSegments(within: "path" | "variable"): void {
    do {
      if (this.#segments.at(-1)?.kind === "rest") throw this.#error('"**" must be the last part of the path');
      if (this.#take("**")) this.#segments.push({ kind: "rest" });
      else if (this.#take("*")) this.#segments.push({ kind: "one" });
      else if (this.#peek() === "{") this.#parseVariable(within);
      else this.#segments.push({ kind: "literal", text: this.#parseLiteral("a segment") });
    } while (this.#take("/"));
  }

  #parseVariable(within: "path" | "variable"): void {
    if (within === "variable") throw this.#error("variables cannot be nested");
    const column = this.#position;
    this.#expect("{");
    const fieldPath = this.#parseFieldPath();
    const start = this.#segments.length;
    if (this.#take("=")) this.#parseSegments("variable");
    else this.#segments.push({ kind: "one" });
    this.#expect("}");
    if (this.#variables.some((other) => other.fieldPath.join(".") === fieldPath.join("."))) {
      throw this.#error(`variable "${fieldPath.join(".")}" is used twice`, column);
    }
    const rest = this.#segments.at(-1)?.kind === "rest";
    const end = rest ? undefined : this.#segments.length;
    this.#variables.push({ fieldPath, start, end, multiSegment: rest || this.#segments.length - start > 1 });
  }

  #parseFieldPath(): string[] {
    const names: string[] = [];
    do names.push(this.#match(identifier, "a field name"));
    while (this.#take("."));
    return names;
  }

  #parseLiteral(wanted: string): string {
    const column = this.#position;
    const decoded = percentDecode(this.#match(literal, wanted));
    if (decoded === undefined) throw this.#error("percent escapes are not UTF-8", column);
    return decoded;
  }

  #match(pattern: RegExp, wanted: string): string {
    pattern.lastIndex = this.#position;
    const text = pattern.exec(this.#source)?.[0];
    if (text === undefined) throw this.#error(`expected ${wanted}, found ${this.#next()}`);
    this.#position += text.length;
    return text;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#error(`expected "${token}", found ${this.#next()}`);
  }

  #take(token: string): boolean {
    const found = this.#source.startsWith(token, this.#position);
    if (found) this.#position += token.length;
    return found;
  }

  #peek(): string | undefined {
    return this.#source[this.#position];
  }

  #next(): string {
    const character = this.#peek();
    return character === undefined ? "the end" : `"${character}"`;
  }

  #error(problem: string, position = this.#position): PathTemplateError {
    return new PathTemplateError(this.#source, position + 1, problem);
  }
}
