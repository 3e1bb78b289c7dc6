import {
  clone,
  create,
  createFileRegistry,
  type DescService,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { http } from "../src/gen/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "../src/gen/google/api/http_pb.ts";
import { file_bookstore_v1_bookstore } from "./gen/bookstore/v1/bookstore_pb.ts";

/** A rule of google.api.http and the messages of bookstore.v1 that its method speaks. */
export interface AnnotatedMethod {
  readonly rule: MessageInitShape<typeof HttpRuleSchema>;
  readonly input?: string;
  readonly output?: string;
}

/** A service with one method, annotated as a test wants it. */
export function annotatedService({
  rule,
  input = "ListShelvesRequest",
  output = "ListShelvesResponse",
}: AnnotatedMethod): DescService {
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, rule));
  const method = create(MethodDescriptorProtoSchema, {
    name: "Try",
    inputType: `.bookstore.v1.${input}`,
    outputType: `.bookstore.v1.${output}`,
    options,
  });
  const file = clone(FileDescriptorProtoSchema, file_bookstore_v1_bookstore.proto);
  file.service = [create(ServiceDescriptorProtoSchema, { name: "TestService", method: [method] })];
  const imports = file_bookstore_v1_bookstore.dependencies;
  const registry = createFileRegistry(file, (name) => imports.find(({ proto }) => proto.name === name));
  const service = registry.getService("bookstore.v1.TestService");
  if (service === undefined) throw new Error("the service was not built");
  return service;
}
