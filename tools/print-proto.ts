// Prints a file descriptor as .proto source.
//
// Enough of the language for a schema that others only import: messages, fields, oneofs, maps, enums, extension
// ranges and extensions. Custom options are left out, and so are comments: a descriptor at run time has none.

import type { ScalarType } from "@bufbuild/protobuf";
import type { DescEnum, DescExtension, DescField, DescFile, DescMessage, DescOneof } from "@bufbuild/protobuf";
import {
  Edition,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import type { EnumDescriptorProto_EnumReservedRange, DescriptorProto_ReservedRange } from "@bufbuild/protobuf/wkt";

type AnyField = DescField | DescExtension;

const FIELD_NUMBER_MAX = 536_870_911;

/** The source text of a proto2 or proto3 file; files of an edition are not supported. */
export function printProto(file: DescFile): string {
  return [
    `syntax = "${syntaxOf(file)}";`,
    `package ${file.proto.package};`,
    ...file.proto.dependency.map((name) => `import "${name}";`),
    ...fileOptions(file),
    ...file.extensions.flatMap(printExtension),
    ...file.enums.flatMap(printEnum),
    ...file.messages.flatMap(printMessage),
    "",
  ].join("\n");
}

function syntaxOf(file: DescFile): string {
  if (file.edition === Edition.EDITION_PROTO2) return "proto2";
  if (file.edition === Edition.EDITION_PROTO3) return "proto3";
  throw new Error(`${file.proto.name} uses edition ${file.edition}, which this printer does not know.`);
}

function fileOptions({ proto: { options } }: DescFile): string[] {
  if (options === undefined) return [];
  return [
    `option go_package = ${JSON.stringify(options.goPackage)};`,
    `option java_package = ${JSON.stringify(options.javaPackage)};`,
    `option java_outer_classname = ${JSON.stringify(options.javaOuterClassname)};`,
    `option java_multiple_files = ${options.javaMultipleFiles};`,
  ];
}

function printMessage(message: DescMessage): string[] {
  return block(`message ${message.name}`, [
    ...message.nestedEnums.flatMap(printEnum),
    ...message.nestedMessages.flatMap(printMessage),
    ...reservedRanges(message.proto.reservedRange, 1),
    ...reservedNames(message.proto.reservedName),
    ...message.proto.extensionRange.map(({ start, end }) => `extensions ${start} to ${lastNumber(end - 1)};`),
    ...message.members.flatMap(printMember),
    ...message.nestedExtensions.flatMap(printExtension),
  ]);
}

function printMember(member: DescField | DescOneof): string[] {
  if (member.kind === "field") return [printField(member)];
  return block(`oneof ${member.name}`, member.fields.map(printField));
}

function printField(field: AnyField): string {
  return `${labelOf(field)}${typeOf(field)} ${field.name} = ${field.number}${fieldOptions(field)};`;
}

function labelOf(field: AnyField): string {
  if (field.fieldKind === "map" || field.oneof !== undefined) return "";
  if (field.fieldKind === "list") return "repeated ";
  if (field.proto.label === Label.REQUIRED) return "required ";
  return isProto2(field) || field.proto.proto3Optional ? "optional " : "";
}

function isProto2(field: AnyField): boolean {
  const file = field.kind === "extension" ? field.file : field.parent.file;
  return file.edition === Edition.EDITION_PROTO2;
}

function typeOf(field: AnyField): string {
  if (field.fieldKind !== "map") return field.proto.typeName || scalarName(field.proto.type);
  const named = field.message ?? field.enum;
  const value = named === undefined ? scalarName(field.scalar) : `.${named.typeName}`;
  return `map<${scalarName(field.mapKey)}, ${value}>`;
}

/** ScalarType is a subset of FieldDescriptorProto.Type, with the same numbers. */
function scalarName(type: Type | ScalarType | undefined): string {
  const name = Object.entries(Type).find(([, value]) => value === type)?.[0];
  if (name === undefined) throw new Error(`${String(type)} is not a field type.`);
  return name.toLowerCase();
}

function fieldOptions({ proto }: AnyField): string {
  const options = [];
  if (proto.defaultValue !== "") options.push(`default = ${defaultOf(proto.type, proto.defaultValue)}`);
  if (proto.options?.deprecated === true) options.push("deprecated = true");
  return options.length === 0 ? "" : ` [${options.join(", ")}]`;
}

function defaultOf(type: Type, value: string): string {
  return type === Type.STRING ? JSON.stringify(value) : value;
}

function printEnum({ name, values, proto }: DescEnum): string[] {
  return block(`enum ${name}`, [
    ...(proto.options?.allowAlias === true ? ["option allow_alias = true;"] : []),
    ...values.map((value) => `${value.name} = ${value.number};`),
    ...reservedRanges(proto.reservedRange, 0),
    ...reservedNames(proto.reservedName),
  ]);
}

function printExtension(extension: DescExtension): string[] {
  return block(`extend .${extension.extendee.typeName}`, [printField(extension)]);
}

/** The end of a range is exclusive in messages and inclusive in enums. */
function reservedRanges(
  ranges: readonly (DescriptorProto_ReservedRange | EnumDescriptorProto_EnumReservedRange)[],
  endExcess: 0 | 1,
): string[] {
  return ranges.map(({ start, end }) => `reserved ${start} to ${lastNumber(end - endExcess)};`);
}

function reservedNames(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`reserved ${names.map((name) => JSON.stringify(name)).join(", ")};`];
}

function lastNumber(number: number): string {
  return number >= FIELD_NUMBER_MAX ? "max" : String(number);
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), "}"];
}
