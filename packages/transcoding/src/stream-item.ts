import type { DescMessage, Message } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { findField } from "./field-lookup.ts";
import { httpBodyOf } from "./http-body.ts";
import type { RestRoute } from "./rest-routes.ts";
import type { RestSettings } from "./rest-settings.ts";
import type { StreamItem } from "./stream-format.ts";

/**
 * Makes the function that turns the messages of a stream into items: `id` from the configured field, `event` from the
 * case that is set of the message's first oneof.
 */
export function itemMaker(
  { method, responseBody, answersRaw }: Pick<RestRoute, "method" | "responseBody" | "answersRaw">,
  { writeJson, idField, dialect }: Pick<RestSettings, "writeJson" | "idField" | "dialect">,
): (message: Message) => StreamItem {
  const readId = idReader(method.output, idField);
  if (answersRaw) {
    return (message) => ({
      json: null,
      id: undefined,
      event: undefined,
      raw: httpBodyOf(method.output, message, responseBody),
    });
  }
  return (message) => {
    const reflected = reflect(method.output, message);
    const event = eventOf(reflected);
    return {
      json: writeJson(method.output, message, responseBody),
      id: readId(reflected),
      event: dialect === "plain" ? event?.name : event?.jsonName,
      raw: undefined,
    };
  };
}

function idReader(desc: DescMessage, name: string | undefined): (message: ReflectMessage) => string | undefined {
  const field = name === undefined ? undefined : findField(desc, name);
  if (field?.fieldKind !== "scalar") return () => undefined;
  return (message) => String(message.get(field));
}

function eventOf(message: ReflectMessage): { readonly name: string; readonly jsonName: string } | undefined {
  const [oneof] = message.oneofs;
  return oneof && message.oneofCase(oneof);
}
