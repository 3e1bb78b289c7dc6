import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type WatchWorkSessionsResponse,
  WatchWorkSessionsRequestSchema,
  WatchWorkSessionsResponseSchema,
} from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { Http2Load } from "./http2-load.ts";

const ENVELOPE_BYTES = 5;
const contentTypes = { connect: "application/connect+proto", grpc: "application/grpc" } as const;

/** Who watches, where, and how. */
export interface LightWatcher {
  readonly port: number;
  readonly token: string;
  readonly protocol: keyof typeof contentTypes;
  /** Hears all messages of all watches on the connection. */
  readonly heard: (stream: number, message: WatchWorkSessionsResponse) => void;
}

/** A connection whose calls are watches of work sessions, at the price of decoding what they say. */
export function openLightWatcher({ port, token, protocol, heard }: LightWatcher): Promise<Http2Load> {
  const message = toBinary(WatchWorkSessionsRequestSchema, create(WatchWorkSessionsRequestSchema));
  const body = Buffer.alloc(ENVELOPE_BYTES + message.length);
  body.writeUInt32BE(message.length, 1);
  body.set(message, ENVELOPE_BYTES);
  const more = protocol === "grpc" ? { te: "trailers" } : { "connect-protocol-version": "1" };
  const headers = { "content-type": contentTypes[protocol], authorization: `Bearer ${token}`, ...more };
  const rests = new Map<number, Buffer>();
  const onData = (stream: number, data: Buffer): void => {
    let bytes = Buffer.concat([rests.get(stream) ?? Buffer.alloc(0), data]);
    for (let end = endOf(bytes); end <= bytes.length; end = endOf(bytes)) {
      heard(stream, fromBinary(WatchWorkSessionsResponseSchema, bytes.subarray(ENVELOPE_BYTES, end)));
      bytes = bytes.subarray(end);
    }
    rests.set(stream, bytes);
  };
  return Http2Load.open(port, {
    path: "/helix.task.v1.WorkSessionService/WatchWorkSessions",
    headers,
    body,
    onData,
  });
}

function endOf(bytes: Buffer): number {
  return bytes.length < ENVELOPE_BYTES ? Infinity : ENVELOPE_BYTES + bytes.readUInt32BE(1);
}
