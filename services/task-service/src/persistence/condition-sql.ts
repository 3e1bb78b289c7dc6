import { type Expression, type RawBuilder, type SqlBool, sql } from "kysely";
import type { Condition } from "../domain/filter/filter-condition.ts";
import type { FieldValue } from "../domain/filter/filter-fields.ts";

/**
 * A condition as SQL: its fields as names of columns, its values as parameters. Columns of text are sorted by their bytes
 * (migrations/0004), so the database compares as `fulfils` does.
 */
export function conditionSql(condition: Condition): Expression<SqlBool> {
  if (condition.kind === "compare") return comparisonSql(condition);
  if (condition.kind === "not") return sql`(not ${conditionSql(condition.operand)})`;
  const operator = condition.kind === "and" ? sql` and ` : sql` or `;
  return sql`(${sql.join(condition.operands.map(conditionSql), operator)})`;
}

function comparisonSql({ field, comparison, value }: Extract<Condition, { kind: "compare" }>): Expression<SqlBool> {
  const column = fieldSql(field);
  if (comparison === "contains") return sql`strpos(${column}, ${value}) > 0`;
  if (comparison === "begins") return sql`starts_with(${column}, ${value})`;
  return sql`${column} ${operators[comparison]} ${valueSql(field, value)}`;
}

const operators = {
  "=": sql`=`,
  "!=": sql`<>`,
  "<": sql`<`,
  "<=": sql`<=`,
  ">": sql`>`,
  ">=": sql`>=`,
} as const;

/** A field as its column; one without a value is the empty text. */
export function fieldSql(field: string): RawBuilder<FieldValue> {
  return field === "runner" ? sql`coalesce(runner, '')` : sql`${sql.ref(field)}`;
}

/** A value of a field as a parameter; times are milliseconds. */
export function valueSql(field: string, value: FieldValue): RawBuilder<FieldValue> {
  const isTime = field === "created_at" || field === "updated_at";
  return isTime ? sql`${new Date(value).toISOString()}::timestamptz` : sql`${value}`;
}
