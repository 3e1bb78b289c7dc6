// Reflection
//
// grpc.reflection.v1 and its older twin v1alpha over Connect, so that grpcurl, buf curl and the like can call us without
// our protos at hand. Both protocols have the same messages under other names, hence one answer for both.
// A file is sent with all the files that it imports, importers first, each once a stream.
import { type DescFile, type DescService, type Registry, createRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ServerReflection } from "@helix-zed/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@helix-zed/gen/grpc/reflection/v1alpha/reflection_pb.ts";

/** The reflection services: they describe themselves too. */
export const reflectionServices = [ServerReflection, ServerReflectionAlpha] as const;

type Question =
  | {
      case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices";
      value: string;
    }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** Adds both reflection services to the router; they tell of `services`. */
export function serveReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const index = new DescriptorIndex(services);
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      const sent = new Set<DescFile>();
      for await (const request of requests) {
        const messageResponse = answer(index, request.messageRequest, sent);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
  router.service(ServerReflectionAlpha, {
    async *serverReflectionInfo(requests) {
      const sent = new Set<DescFile>();
      for await (const request of requests) {
        const messageResponse = answer(index, request.messageRequest, sent);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
}

function answer(index: DescriptorIndex, question: Question, sent: Set<DescFile>): Answer {
  switch (question.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: index.serviceNames.map((name) => ({ name })) } };
    case "fileByFilename":
      return filesAnswer(index.fileNamed(question.value), question.value, sent);
    case "fileContainingSymbol":
      return filesAnswer(index.fileOfSymbol(question.value), question.value, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const file = index.fileOfExtension(containingType, extensionNumber);
      return filesAnswer(file, `${containingType}[${extensionNumber}]`, sent);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbersOf(question.value);
      if (extensionNumber === undefined) return notFound(question.value);
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } };
    }
    case undefined:
      break;
  }
  return failure(Code.InvalidArgument, "The request asks for nothing.");
}

function filesAnswer(file: DescFile | undefined, asked: string, sent: Set<DescFile>): Answer {
  if (file === undefined) return notFound(asked);
  const files = new Set<DescFile>();
  collect(file, files);
  // What was asked for is sent even if it was sent before: some clients take no answer for an error.
  const fresh = Array.from(files)
    .toReversed()
    .filter((each) => each === file || !sent.has(each));
  for (const each of fresh) sent.add(each);
  const fileDescriptorProto = fresh.map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(asked: string): Answer {
  return failure(Code.NotFound, `${asked} is not known here.`);
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

/** Adds all that a file imports and, after it, the file itself. */
function collect(file: DescFile, into: Set<DescFile>): void {
  if (into.has(file)) return;
  for (const imported of file.dependencies) collect(imported, into);
  into.add(file);
}

class DescriptorIndex {
  readonly serviceNames: readonly string[];
  readonly #files: ReadonlyMap<string, DescFile>;
  readonly #registry: Registry;

  constructor(services: readonly DescService[]) {
    const files = new Set<DescFile>();
    for (const { file } of services) collect(file, files);
    this.serviceNames = services.map(({ typeName }) => typeName).toSorted();
    this.#files = new Map(Array.from(files, (file) => [file.proto.name, file]));
    this.#registry = createRegistry(...files);
  }

  fileNamed(name: string): DescFile | undefined {
    return this.#files.get(name);
  }

  /** The file of a message, enum, extension or service, or of a method, field or enum value within one. */
  fileOfSymbol(symbol: string): DescFile | undefined {
    const type = this.#registry.get(symbol);
    if (type !== undefined) return type.file;
    const dot = symbol.lastIndexOf(".");
    const owner = this.#registry.get(symbol.slice(0, Math.max(dot, 0)));
    if (owner === undefined || owner.kind === "extension") return undefined;
    const members: readonly { readonly name: string }[] =
      owner.kind === "service" ? owner.methods : owner.kind === "message" ? owner.fields : owner.values;
    return members.some(({ name }) => name === symbol.slice(dot + 1)) ? owner.file : undefined;
  }

  fileOfExtension(typeName: string, number: number): DescFile | undefined {
    const extendee = this.#registry.getMessage(typeName);
    return extendee === undefined ? undefined : this.#registry.getExtensionFor(extendee, number)?.file;
  }

  extensionNumbersOf(typeName: string): number[] | undefined {
    if (this.#registry.getMessage(typeName) === undefined) return undefined;
    return Array.from(this.#registry).flatMap((type) =>
      type.kind === "extension" && type.extendee.typeName === typeName ? [type.number] : [],
    );
  }
}
