// What does a call cost the server, beside what is needed to answer it at all?
//
//   raw       node:http2 and protobuf-es alone, on its stream API: the baseline
//   grpc-js   the server of @grpc/grpc-js
//   connect   connect-node's own handlers
//   bare      our short path without interceptors
//   full      our short path with everything: token, interceptors, validation, deadlines, a log
//
//    node tests/load/rpc.ts
//
// Each server is a process of its own; what counts is its CPU. The client sends frames that were made once
// (measuring/http2-load.ts), so that servers are busy and it is not. Contestants take turns in short rounds, and a ratio is
// the median of the ratios of neighbouring rounds: another process that takes the machine meets both of them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetTaskRequestSchema, WatchTasksRequestSchema } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { sized } from "@helix-zed/harness/test-size.ts";
import { clockOfProcess, type CpuClock } from "./measuring/cpu-clock.ts";
import { Http2Load, type LoadRequest } from "./measuring/http2-load.ts";
import { say, sayGoal, sayMachine } from "./measuring/report.ts";
import { median } from "./measuring/statistics.ts";

const NAMES = ["raw", "grpc-js", "connect", "bare", "full"] as const;
const CONNECTIONS = 4;
const STREAMS_AT_A_TIME = 16;
const WARM_UP_CALLS = sized({ normal: 6_000, full: 20_000 });
const CALLS = sized({ normal: 2_000, full: 8_000 });
const ROUNDS = sized({ normal: 9, full: 31 });
const WATCHES = 1_000;
const FIRST_WATCHES = 200;
const WATCH_CONNECTIONS = 10;
const PUBLISHED = sized({ normal: 15, full: 50 });

type Name = (typeof NAMES)[number];

interface Memory {
  readonly heapKb: number;
  readonly residentKb: number;
}

class Contestant {
  readonly name: Name;
  readonly cpuUs: CpuClock;
  readonly #process: ChildProcess;
  readonly #port: number;
  readonly costsUs: number[] = [];

  private constructor(name: Name, child: ChildProcess, port: number) {
    this.name = name;
    this.#process = child;
    this.#port = port;
    this.cpuUs = clockOfProcess(child.pid ?? 0);
  }

  static async start(name: Name): Promise<Contestant> {
    const program = path.join(import.meta.dirname, "measuring", "rpc-contestant.ts");
    const log = openSync("/dev/null", "w");
    const child = spawn(process.execPath, ["--expose-gc", program, name], { stdio: ["ignore", "inherit", log, "ipc"] });
    closeSync(log);
    const [{ port }] = await once(child, "message");
    return new Contestant(name, child, Number(port));
  }

  async connect(count: number, request: LoadRequest): Promise<Http2Load[]> {
    return Promise.all(Array.from({ length: count }, () => Http2Load.open(this.#port, request)));
  }

  publish(): void {
    this.#process.send("publish");
  }

  async memory(): Promise<Memory> {
    this.#process.send("memory");
    const [memory] = await once(this.#process, "message");
    return memory;
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.disconnect();
    await gone;
  }
}

const headers = {
  "content-type": "application/grpc",
  te: "trailers",
  "user-agent": "grpc-node-js/1.14.7",
  authorization: "Bearer token-of-ada",
  "grpc-accept-encoding": "identity",
};

function requestFor(method: string, message: Uint8Array): LoadRequest {
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  return { path: `/helix.task.v1.TaskService/${method}`, headers, body: Buffer.concat([envelope, message]) };
}

const getTask = requestFor(
  "GetTask",
  toBinary(GetTaskRequestSchema, create(GetTaskRequestSchema, { id: `tsk_${"0".repeat(32)}` })),
);
const watchTasks = requestFor("WatchTasks", toBinary(WatchTasksRequestSchema, create(WatchTasksRequestSchema)));

async function callAll(loads: readonly Http2Load[], calls: number): Promise<void> {
  await Promise.all(loads.map((load) => load.run({ calls: calls / CONNECTIONS, concurrency: STREAMS_AT_A_TIME })));
}

async function measureUnary(contestants: readonly Contestant[]): Promise<void> {
  const all = await Promise.all(
    contestants.map(async (contestant) => ({ contestant, loads: await contestant.connect(CONNECTIONS, getTask) })),
  );
  for (const { loads } of all) await callAll(loads, WARM_UP_CALLS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { contestant, loads } of round % 2 === 0 ? all : all.toReversed()) {
      const beforeUs = contestant.cpuUs();
      await callAll(loads, CALLS);
      contestant.costsUs.push((contestant.cpuUs() - beforeUs) / CALLS);
    }
  }
  for (const load of all.flatMap(({ loads }) => loads)) load.close();
}

function ratioToFirst(contestant: Contestant, [first]: readonly Contestant[]): number {
  return median(contestant.costsUs.map((costUs, round) => costUs / (first?.costsUs[round] ?? 1)));
}

interface FanOut {
  readonly costUs: number;
  readonly heapKb: number;
  readonly residentKb: number;
}

async function measureFanOut(contestant: Contestant): Promise<FanOut> {
  const loads = await contestant.connect(WATCH_CONNECTIONS, watchTasks);
  // What is made at the first calls is not the price of a stream.
  await openStreams(loads, FIRST_WATCHES);
  const before = await contestant.memory();
  await openStreams(loads, WATCHES - FIRST_WATCHES);
  const after = await contestant.memory();
  // The first message tells how long one is.
  await publishAndWait(contestant, loads, 1);
  const messageBytes = bytesOf(loads) / WATCHES;
  const costsUs: number[] = [];
  for (let count = 0; count < PUBLISHED; count++) {
    const beforeUs = contestant.cpuUs();
    await publishAndWait(contestant, loads, messageBytes * WATCHES * (count + 2));
    costsUs.push((contestant.cpuUs() - beforeUs) / WATCHES);
  }
  for (const load of loads) load.close();
  // Code that is not compiled yet is not the price of a message either.
  const settled = costsUs.slice(PUBLISHED / 5);
  const costUs = settled.reduce((sum, cost) => sum + cost, 0) / settled.length;
  const heapKb = (after.heapKb - before.heapKb) / (WATCHES - FIRST_WATCHES);
  return { costUs, heapKb, residentKb: (after.residentKb - before.residentKb) / (WATCHES - FIRST_WATCHES) };
}

async function openStreams(loads: readonly Http2Load[], count: number): Promise<void> {
  for (const load of loads) for (let each = 0; each < count / loads.length; each++) load.call();
  await pause(2_000);
}

async function publishAndWait(contestant: Contestant, loads: readonly Http2Load[], bytes: number): Promise<void> {
  contestant.publish();
  do await pause(20);
  while (bytesOf(loads) < bytes);
  if (bytes === 1) await pause(500);
}

function bytesOf(loads: readonly Http2Load[]): number {
  return loads.reduce((sum, load) => sum + load.bytes, 0);
}

const contestants: Contestant[] = [];
for (const name of NAMES) contestants.push(await Contestant.start(name));
sayMachine();
await measureUnary(contestants);
say(`GetTask over gRPC, ${CONNECTIONS} connections with ${STREAMS_AT_A_TIME} calls each, medians of ${ROUNDS} rounds`);
for (const contestant of contestants) {
  const columns = [
    `${median(contestant.costsUs).toFixed(1)} µs CPU`,
    `${ratioToFirst(contestant, contestants).toFixed(2)} of raw`,
  ];
  say(`${contestant.name.padEnd(8)}  ${columns.join("   ")}`);
}
say(`WatchTasks over gRPC, ${WATCHES} streams on ${WATCH_CONNECTIONS} connections, ${PUBLISHED} messages to all`);
const fanOuts = new Map<Name, FanOut>();
for (const contestant of contestants) {
  const fanOut = await measureFanOut(contestant);
  fanOuts.set(contestant.name, fanOut);
  const memory = `${fanOut.heapKb.toFixed(1)} KB heap, ${fanOut.residentKb.toFixed(1)} KB resident a stream`;
  say(`${contestant.name.padEnd(8)}  ${fanOut.costUs.toFixed(1)} µs CPU a message   ${memory}`);
}
for (const name of ["bare", "full"] as const) {
  const contestant = contestants.find((each) => each.name === name);
  if (contestant !== undefined) sayGoal(`${name}: unary / raw`, ratioToFirst(contestant, contestants), { atMost: 1.1 });
  const [own, grpcJs] = [fanOuts.get(name), fanOuts.get("grpc-js")];
  if (own === undefined || grpcJs === undefined) continue;
  sayGoal(`${name}: CPU of a message / grpc-js`, own.costUs / grpcJs.costUs, { atMost: 1 });
  sayGoal(`${name}: heap of a stream / grpc-js`, own.heapKb / grpcJs.heapKb, { atMost: 1 });
}
for (const contestant of contestants) await contestant.stop();
