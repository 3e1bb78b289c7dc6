// google.api.HttpBody: bytes of any media type, in place of JSON
//
// As a request (`body: "*"` with HttpBody as the request, or `body: FIELD` with a field of that type) it takes the body and
// its media type as they come. As an answer (the response, or what `response_body` names) it is sent as it is: with its media
// type, and headers that keep a browser from running what somebody stored. It is read and written by its wire format, since
// a service's descriptor of it need not be the same object as ours.

import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  mergeFromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { type HttpBody, HttpBodySchema } from "./gen/google/api/httpbody_pb.ts";
import type { RawBody } from "./request-body.ts";

/** Whether a message is an HttpBody. */
export function isHttpBody(desc: DescMessage | undefined): boolean {
  return desc?.typeName === HttpBodySchema.typeName;
}

/** The HttpBody that is an answer, or the field of it. Empty where the field is not set. */
export function httpBodyOf(desc: DescMessage, message: Message, only: DescField | undefined): HttpBody {
  if (only === undefined) return fromBinary(HttpBodySchema, toBinary(desc, message));
  const answer = reflect(desc, message);
  if (only.fieldKind !== "message" || !answer.isSet(only)) return create(HttpBodySchema);
  const body = answer.get(only);
  return fromBinary(HttpBodySchema, toBinary(body.desc, body.message));
}

/** Sets a request that is an HttpBody, or the field of it that is one. */
export function setHttpBody(
  request: ReflectMessage,
  field: DescField | undefined,
  { contentType, data }: RawBody,
): void {
  const bytes = toBinary(HttpBodySchema, create(HttpBodySchema, { contentType, data }));
  if (field?.fieldKind !== "message") {
    mergeFromBinary(request.desc, request.message, bytes);
    return;
  }
  request.set(field, reflect(field.message, fromBinary(field.message, bytes)));
}

/** What a browser must not do with bytes that anybody may have stored. */
export const inertHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; sandbox",
};
