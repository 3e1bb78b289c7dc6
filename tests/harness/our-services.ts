import type { DescService } from "@bufbuild/protobuf";
import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const GENERATED = path.resolve(import.meta.dirname, "../../packages/gen/src/helix");

/** All services of our contract, from the generated descriptors: also those that nobody has thought of yet. */
export async function ourServices(): Promise<DescService[]> {
  const files = readdirSync(GENERATED, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("_pb.ts"));
  const services: DescService[] = [];
  for (const file of files.toSorted()) {
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(path.join(GENERATED, file)).href);
    services.push(...Object.values(module).filter(isService));
  }
  return services;
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}
