// Writes buf/validate/validate.proto where buf.yaml looks for it.
//
// The text comes from the descriptor that the validator carries, so the rules that buf compiles and the rules that
// the services enforce are of one version, and nothing is fetched from a schema registry.

import { file_buf_validate_validate as validateFile } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { printProto } from "./print-proto.ts";

/** The schema as a file, written only when its text changed. Answers the path. */
export function emitValidateProto(root: string): string {
  const target = path.join(root, ".buf", "validate", validateFile.proto.name);
  const text = `// Printed from @bufbuild/protovalidate. Not edited, not committed.\n${printProto(validateFile)}`;
  if (existsSync(target) && readFileSync(target, "utf8") === text) return target;
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
  return target;
}

if (import.meta.main) console.log(emitValidateProto(path.resolve(import.meta.dirname, "..")));
